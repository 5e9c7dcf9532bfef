// Chebyshev expansions on [-1, 1]: their sum in float64, and their first terms as an ordinary polynomial.
// scripts/coefficients.mjs prints the tables, and the error of each truncation.

/**
 * Phi(-a) = exp(-a^2/2) * P(t) / (a + 4) for a >= 0, with t = (a - 4)/(a + 4) and P the sum of these terms.
 * Relative error of a truncation: 10 terms 6.2e-8, 12 terms 2.3e-9 (float32), 16 terms 8.4e-12, all 26 terms 5e-18.
 */
export const normalTail: readonly number[] = [
  0.9704512045660766, -0.7517088168395706, 0.22219355567525104, -0.048517753260446085, 0.006925920496242481,
  -0.00032059847439814995, -0.00010054739163210679, 0.000018903369019706965, 0.000001010356885474631,
  -6.145334749397824e-7, -3.3810201200691756e-9, 2.0686508061742833e-8, -1.1282603632469507e-10,
  -7.774015228388695e-10, -9.941424191404708e-12, 3.174482949858303e-11, 1.842480684470494e-12,
  -1.3128616466710965e-12, -1.7415362652654813e-13, 4.9072740317044244e-14, 1.2931384326165576e-14,
  -1.2180663521726341e-15, -8.052147372620933e-16, -2.8604941442616213e-17, 4.057064424335354e-17,
  7.006400772814596e-18,
];

/**
 * atan(y) - y/(1 + y^2) = y^3 * P(t) for |y| <= 1, with t = 2 y^2 - 1 and P the sum of these terms.
 * Relative error of a truncation: 10 terms 1.2e-7, 11 terms 2.1e-8, 12 terms 3.7e-9 (float32), all 23 terms 1.2e-17.
 */
export const atanTail: readonly number[] = [
  0.4406867935097715, -0.184306363687561, 0.034230190645896184, -0.006132890737072543, 0.001081510559486638,
  -0.00018911559215919902, 0.000032902714977307235, -0.000005705835623705254, 9.872724444779077e-7,
  -1.705537904567238e-7, 2.9428798232912544e-8, -5.073329369793761e-9, 8.739957286613987e-10,
  -1.5048176443562853e-10, 2.5897822386118538e-11, -4.4553589449385985e-12, 7.662482017922157e-13,
  -1.317482744035229e-13, 2.2647804865585717e-14, -3.89248291432369e-15, 6.688949377615647e-16,
  -1.1492880554551434e-16, 1.9744552958107306e-17,
];

/** c0 + c1 T1(t) + c2 T2(t) + ... by Clenshaw's recurrence, for t in [-1, 1]. */
export function chebyshevSum(coefficients: readonly number[], t: number): number {
  let next = 0;
  let afterNext = 0;
  for (let j = coefficients.length - 1; j > 0; j--) {
    [next, afterNext] = [2 * t * next - afterNext + coefficients[j]!, next];
  }
  return t * next - afterNext + coefficients[0]!;
}

/**
 * The first `terms` terms as an ordinary polynomial in t, lowest power first, for Horner's rule.
 *
 * @example chebyshevToPolynomial([1, 2, 3], 3); // [-2, 2, 6]: 1 + 2 t + 3 (2 t^2 - 1)
 */
export function chebyshevToPolynomial(coefficients: readonly number[], terms: number): number[] {
  const sum = new Array<number>(terms).fill(0);
  let previous: number[] = [];
  let current = [1];
  for (let j = 0; j < terms; j++) {
    for (const [power, factor] of current.entries()) sum[power]! += coefficients[j]! * factor;
    const scale = j === 0 ? 1 : 2;
    const following = [0, ...current.map((factor) => scale * factor)];
    for (const [power, factor] of previous.entries()) following[power]! -= factor;
    [previous, current] = [current, following];
  }
  return sum;
}
