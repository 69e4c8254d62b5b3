// How strongly each parameter goes with a metric over the compared runs: rank correlation. It is
// named as that and nothing more: with few runs it is chance as often as cause.

/** ranks gives equal values their mean rank. @param {number[]} values */
function ranks(values) {
  const order = values.map((v, i) => [v, i]).sort((a, b) => a[0] - b[0]);
  const out = new Array(values.length).fill(0);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j + 1 < order.length && order[j + 1][0] === order[i][0]) j++;
    for (let k = i; k <= j; k++) out[order[k][1]] = (i + j) / 2;
    i = j + 1;
  }
  return out;
}

/** @param {number[]} a @param {number[]} b */
function correlation(a, b) {
  const mean = (/** @type {number[]} */ v) => v.reduce((s, x) => s + x, 0) / v.length;
  const ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  a.forEach((x, i) => ((ab += (x - ma) * (b[i] - mb)), (aa += (x - ma) ** 2), (bb += (b[i] - mb) ** 2)));
  return aa && bb ? ab / Math.sqrt(aa * bb) : 0;
}

/**
 * importance orders parameters by how they go with a metric. A number's measure is Spearman's
 * rank correlation, with its sign; that of words is how much of the ranks' spread lies between
 * the words (the correlation ratio), which has none.
 * @param {{name: string, values: (string | undefined)[]}[]} params
 * @param {number[]} metric of the same runs; NaN where there is none
 * @returns {{name: string, measure: number, runs: number, words: boolean}[]}
 */
export function importance(params, metric) {
  return params.flatMap(({ name, values }) => {
    const have = values.map((v, i) => i).filter((i) => values[i] !== undefined && Number.isFinite(metric[i]));
    const texts = have.map((i) => /** @type {string} */ (values[i])), target = ranks(have.map((i) => metric[i]));
    const distinct = new Set(texts).size;
    const words = texts.some((t) => t.trim() === "" || !Number.isFinite(Number(t)));
    // A word for every run explains all and means nothing.
    if (have.length < 3 || distinct < 2 || (words && distinct === have.length)) return [];
    return [{ name, runs: have.length, words, measure: words ? ratio(texts, target) : correlation(ranks(texts.map(Number)), target) }];
  }).sort((a, b) => Math.abs(b.measure) - Math.abs(a.measure));
}

/** @param {string[]} groups @param {number[]} values */
function ratio(groups, values) {
  const mean = values.reduce((s, x) => s + x, 0) / values.length;
  const total = values.reduce((s, x) => s + (x - mean) ** 2, 0);
  let between = 0;
  for (const g of new Set(groups)) {
    const part = values.filter((_, i) => groups[i] === g), m = part.reduce((s, x) => s + x, 0) / part.length;
    between += part.length * (m - mean) ** 2;
  }
  return total ? Math.sqrt(between / total) : 0;
}
