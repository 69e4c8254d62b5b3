// <version-editor>: see the neighbours.
export {};
