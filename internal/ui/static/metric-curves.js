// <metric-curves>: see the neighbours.
export {};
