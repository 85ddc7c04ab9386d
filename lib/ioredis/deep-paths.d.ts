/** The text of the error of commands that a closed connection cannot take. */
export const CONNECTION_CLOSED_ERROR_MSG: string
/** The options that a URL stands for. */
export function parseURL(url: string): Record<string, unknown>
