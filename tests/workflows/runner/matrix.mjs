// The jobs that a matrix makes.

/** The combinations of a matrix, with `exclude` and `include` as GitHub describes them. */
export function combine(matrix) {
  const { include = [], exclude = [], ...axes } = matrix;
  let combinations = Object.keys(axes).length ? [{}] : [];
  for (const [name, values] of Object.entries(axes)) {
    combinations = combinations.flatMap((one) =>
      values.map((value) => ({ ...one, [name]: value })),
    );
  }
  const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const matches = (one, part) =>
    Object.entries(part).every(([key, value]) => equal(one[key], value));
  combinations = combinations.filter((one) => !exclude.some((part) => matches(one, part)));
  const originals = [...combinations];
  for (const extra of include) {
    const shared = Object.fromEntries(Object.entries(extra).filter(([key]) => key in axes));
    const extended = originals.filter((one) => matches(one, shared));
    if (extended.length) for (const one of extended) Object.assign(one, extra);
    else combinations.push({ ...extra });
  }
  return combinations;
}
