/** As in package.json and CHANGELOG.md; shown by logs, fleet and metrics. */
export const VERSION = '0.1.0'
