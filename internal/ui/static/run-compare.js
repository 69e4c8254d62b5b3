// <run-compare>: see the neighbours.
export {};
