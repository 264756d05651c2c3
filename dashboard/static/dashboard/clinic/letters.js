/** Whichever of the two letters for ye and kaf a keyboard writes: as the catalogue and the records have them. */
export const lettersOf = (text) => text.replaceAll("\u064a", "\u06cc").replaceAll("\u0643", "\u06a9").trim();
