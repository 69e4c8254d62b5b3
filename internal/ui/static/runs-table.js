// <runs-table>: see the neighbours.
export {};
