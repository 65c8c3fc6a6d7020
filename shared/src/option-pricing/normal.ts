// The normal distribution to the last digits of a double: W. J. Cody's rational approximations of the scaled
// complementary error function (Mathematics of Computation 23, 1969; netlib specfun CALERF). The library that does the
// same (@stdlib) brings a native build and some thirty packages for these lines.

const SQRT_HALF = Math.SQRT1_2
const ONE_OVER_SQRT_PI = 0.5641895835477563
const ONE_OVER_SQRT_2PI = 0.3989422804014327

const NEAR = {
  top: [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  lead: 0.18577770618460315,
  bottom: [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
}
const MIDDLE = {
  top: [
    0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
    1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  lead: 2.1531153547440383e-8,
  bottom: [
    15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
    4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
}
const FAR = {
  top: [
    0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
    0.0006587491615298378,
  ],
  lead: 0.016315387137302097,
  bottom: [
    2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
  ],
}

function ratio({ top, lead, bottom }: typeof NEAR, x: number): number {
  let [above, below] = [lead * x, x]
  const last = top.length - 1
  for (let at = 0; at < last; at++) {
    above = (above + (top[at] ?? 0)) * x
    below = (below + (bottom[at] ?? 0)) * x
  }
  return (above + (top[last] ?? 0)) / (below + (bottom[last] ?? 0))
}

/** exp(x²) · erfc(x): what is left of a tail when its exponential is taken out. Overflows below -26. */
export function erfcx(x: number): number {
  const y = Math.abs(x)
  if (y <= 0.46875) return Math.exp(y * y) * (1 - x * ratio(NEAR, y * y))
  const tail = y <= 4 ? ratio(MIDDLE, y) : (ONE_OVER_SQRT_PI - ratio(FAR, 1 / (y * y)) / (y * y)) / y
  return x > 0 ? tail : 2 * expOfSquare(y, 1) - tail
}

/** exp(±y²); the square in two parts, because its rounding error is what the exponential multiplies. */
function expOfSquare(y: number, sign: 1 | -1): number {
  const rough = Math.trunc(y * 16) / 16
  return Math.exp(sign * rough * rough) * Math.exp(sign * (y - rough) * (y + rough))
}

export function normalCdf(x: number): number {
  const y = Math.abs(x) * SQRT_HALF
  if (y <= 0.46875) return 0.5 + 0.5 * x * SQRT_HALF * ratio(NEAR, y * y)
  // Beyond, a double has no tail any more.
  const tail = y > 26.7 ? 0 : 0.5 * expOfSquare(y, -1) * erfcx(y)
  return x > 0 ? 1 - tail : tail
}

export const normalDensity = (x: number): number => ONE_OVER_SQRT_2PI * Math.exp((-x * x) / 2)
