// Arrays that graphs write to: none may lie where the graph reads.

/** Arrays to write to: those given, or others beside them where one shares memory with what is read. */
export function aside(out: readonly Float32Array[], read: readonly Float32Array[]): Float32Array[] {
  return out.map((array) =>
    read.some((other) => overlap(array, other)) ? new Float32Array(array.length) : array,
  );
}

/** Brings what was computed aside to where it belongs. */
export function settle(out: readonly Float32Array[], computed: readonly Float32Array[]): void {
  out.forEach((array, i) => {
    if (array !== computed[i]) array.set(computed[i] as Float32Array);
  });
}

function overlap(a: Float32Array, b: Float32Array): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
