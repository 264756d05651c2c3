// Calls to the API: bearer token, one refresh when it ran out, and every failure as an ApiError.

import { alone } from "./alone.js";
import { identifier } from "./identifier.js";
import { language } from "./preferences.js";
import { signal } from "./ui.js";
import { forget, keep, recall } from "./vault.js";

const KEY = "session";
const LONGEST_MS = 15_000;

/** Since when the server cannot be reached, or null: any answer of it says that it can. */
export const lostAt = signal(null);

let tokens = null;
let renewal = null;
let sessionEnded = () => {};

/** `code` is the server's, or `network` (no answer) or `unavailable` (a broken answer); `retryAfter` is in seconds, `current` what is there instead. */
export class ApiError extends Error {
  constructor(code, { message = code, status = 0, fields = {}, retryAfter = null, current } = {}) {
    super(message);
    Object.assign(this, { code, status, fields, retryAfter, current });
  }
}

/** Whether it would go well later, unchanged. */
export const isTemporary = (error) => isAway(error) || error?.status === 429;
export const isAway = (error) => error?.code === "network" || error?.status >= 500;

/** Takes up the session that this device has kept; false when there is none. */
export async function restore() {
  tokens ??= await recall(KEY);
  return tokens !== null;
}

/** Called with the code of an error when the server no longer takes our tokens. */
export const onSessionEnd = (callback) => (sessionEnded = callback);

/** `code` is asked for with the error `code_required`. The server names the device by its browser. */
export async function signIn(email, password, code) {
  const { data } = await exchange("POST", "/api/auth/token", { email, password, code });
  await take(data);
}

/** Keeps the session again, after the device was wiped of what another person had left. */
export const keepSession = () => keep(KEY, tokens);

/** Another tab has signed out. */
export const forgetSession = () => (tokens = null);

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
    tokens = null;
  }
}

export const get = async (path) => (await request("GET", path)).data;
export const post = async (path, body, options) => (await request("POST", path, body, options)).data;
export const patch = async (path, body) => (await request("PATCH", path, body)).data;
export const put = async (path, body) => (await request("PUT", path, body)).data;
export const del = async (path) => (await request("DELETE", path)).data;

/** `{status, data}` of an answer. Of creates with the same `key` the server makes one. Throws ApiError. */
export async function request(method, path, body, { key } = {}) {
  const used = tokens?.access;
  try {
    return await exchange(method, path, body, { access: used, key });
  } catch (error) {
    if (error.status !== 401 || !tokens) throw error;
  }
  await freshToken(used);
  try {
    return await exchange(method, path, body, { access: tokens?.access, key });
  } catch (error) {
    if (error.status === 401) end(error.code);
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

/** One tab at a time, and each takes what another has got or begun. */
const renew = () =>
  alone("renewal", async () => {
    const [mine, kept] = [tokens?.refresh, await recall(KEY)];
    if (tokens && kept) tokens = kept;
    if (!tokens || tokens.refresh === mine) await exchangeTokens();
  });

/** The attempt has a name, kept before it is made: when the answer is lost, also with the app, the next try is the same. */
async function exchangeTokens() {
  if (tokens && !tokens.attempt) {
    tokens = { ...tokens, attempt: identifier() };
    await keepSession();
  }
  const { refresh = "", attempt } = tokens ?? {};
  try {
    const { data } = await exchange("POST", "/api/auth/token/refresh", { refresh }, { key: attempt });
    if (tokens) await take(data);
  } catch (error) {
    if (error.status !== 401 && error.status !== 400) throw error;
    end(error.code);
    throw new ApiError("not_authenticated", { message: error.message, status: 401 });
  }
}

function end(code) {
  if (!tokens) return;
  tokens = null;
  forget((name) => name === KEY);
  sessionEnded(code);
}

function take(pair) {
  tokens = pair;
  return keepSession();
}

async function exchange(method, path, body, { access, key } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": language.value };
  if (key) headers["Idempotency-Key"] = key;
  if (access) headers.Authorization = `Bearer ${access}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(LONGEST_MS);
  let response, data;
  try {
    response = await fetch(path, { method, headers, body: JSON.stringify(body), signal, cache: "no-store" });
    data = response.status === 204 ? null : await response.json().catch(() => undefined);
  } catch {
    lostAt.value ??= new Date();
    throw new ApiError("network");
  }
  lostAt.value = null;
  if (response.ok && data !== undefined) return { status: response.status, data };
  throw failure(response, data?.error);
}

/** Whether the server answers at all; `lostAt` follows. */
export const isThere = () => exchange("GET", "/health/live").then(() => true, (error) => error.code !== "network");

function failure(response, error) {
  const { status } = response;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  if (!error && status === 404) return new ApiError("not_found", { status });
  if (!error) return new ApiError("unavailable", { status, retryAfter });
  return new ApiError(error.code, { message: error.message, status, fields: error.fields, current: error.current, retryAfter });
}

addEventListener("offline", () => (lostAt.value ??= new Date()));
