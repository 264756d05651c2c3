import { useEffect, useState } from "../ui.js";

/** How many of `parts` to draw: one more after each paint, so that a slow phone shows the first and can answer a finger. */
export function useGradually(parts) {
  const [drawn, setDrawn] = useState(1);
  useEffect(() => {
    const timer = setTimeout(() => drawn < parts && setDrawn(drawn + 1));
    return () => clearTimeout(timer);
  }, [drawn, parts]);
  return drawn;
}
