/** What Compare can show of the chosen results. */
export const MAIN_VIEWS = ['sites', 'layers', 'several', 'types'] as const;
/** Views that are asked for less often, behind a menu. */
export const OTHER_VIEWS = ['metrics', 'detection', 'settings'] as const;
export type CompareView = (typeof MAIN_VIEWS)[number] | (typeof OTHER_VIEWS)[number];

/** Views whose charts have the same numbers as a table in their place. */
export const WITH_TABLE: readonly CompareView[] = ['sites', 'layers', 'several', 'metrics'];
