// Remembered on this device only. Storage may be forbidden; then nothing is remembered and nothing breaks.
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`tollgate.${key}`);
    else localStorage.setItem(`tollgate.${key}`, value);
  } catch {
    // Nothing to do: the choice holds for this page.
  }
}

export function recall(key) {
  try {
    return localStorage.getItem(`tollgate.${key}`);
  } catch {
    return null;
  }
}
