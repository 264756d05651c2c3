// Calls to the API: bearer token, one refresh when it ran out, and every failure as an ApiError.

import { language } from "./preferences.js";

const KEY = "avicenna.session";
const LONGEST_MS = 15_000;

let tokens = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
let renewal = null;
let sessionEnded = () => {};

/** `code` is the server's, or `network` (no answer) or `unavailable` (a broken answer); `retryAfter` is in seconds. */
export class ApiError extends Error {
  constructor(code, { message = code, status = 0, fields = {}, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { code, status, fields, retryAfter });
  }
}

export const isSignedIn = () => tokens !== null;

/** Called when the server no longer takes our tokens. */
export const onSessionEnd = (callback) => (sessionEnded = callback);

export async function signIn(email, password) {
  const device = navigator.userAgent.slice(0, 200);
  const { data } = await exchange("POST", "/api/auth/token", { email, password, device });
  keep(data);
}

export async function register(person) {
  await exchange("POST", "/api/auth/register", { ...person, language: language.value });
}

/** Forgets the session here in any case; false when the server could not be told. */
export async function signOut({ everywhere = false } = {}) {
  try {
    await request("POST", "/api/auth/logout", { everywhere });
    return true;
  } catch (error) {
    return error.status === 401;
  } finally {
    keep(null);
  }
}

export const get = async (path) => (await request("GET", path)).data;
export const post = async (path, body) => (await request("POST", path, body)).data;
export const patch = async (path, body) => (await request("PATCH", path, body)).data;

/** `{status, data}` of an answer. Throws ApiError. */
export async function request(method, path, body) {
  const used = tokens?.access;
  try {
    return await exchange(method, path, body, used);
  } catch (error) {
    if (error.status !== 401 || !tokens) throw error;
  }
  await freshToken(used);
  try {
    return await exchange(method, path, body, tokens?.access);
  } catch (error) {
    if (error.status === 401) end();
    throw error;
  }
}

/** An access token other than `used`; several callers share one renewal, because a refresh token works once. */
export async function freshToken(used = tokens?.access) {
  if (tokens && tokens.access !== used) return tokens.access;
  renewal ??= renew().finally(() => (renewal = null));
  await renewal;
  return tokens?.access;
}

async function renew() {
  try {
    const { data } = await exchange("POST", "/api/auth/token/refresh", { refresh: tokens?.refresh ?? "" });
    if (tokens) keep(data);
  } catch (error) {
    if (error.status === 401 || error.status === 400) end();
    throw error;
  }
}

function end() {
  if (!tokens) return;
  keep(null);
  sessionEnded();
}

function keep(pair) {
  tokens = pair;
  if (pair) sessionStorage.setItem(KEY, JSON.stringify(pair));
  else sessionStorage.removeItem(KEY);
}

async function exchange(method, path, body, access) {
  const headers = { Accept: "application/json", "Accept-Language": language.value };
  if (access) headers.Authorization = `Bearer ${access}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(LONGEST_MS);
  let response, data;
  try {
    response = await fetch(path, { method, headers, body: JSON.stringify(body), signal, cache: "no-store" });
    data = response.status === 204 ? null : await response.json().catch(() => undefined);
  } catch {
    throw new ApiError("network");
  }
  if (response.ok && data !== undefined) return { status: response.status, data };
  throw failure(response, data?.error);
}

function failure(response, error) {
  const { status } = response;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  if (!error) return new ApiError("unavailable", { status, retryAfter });
  return new ApiError(error.code, { message: error.message, status, fields: error.fields, retryAfter });
}
