// <artifact-browser>: see the neighbours.
export {};
