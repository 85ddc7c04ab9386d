export declare const CONNECTION_CLOSED_ERROR_MSG: 'Connection is closed.'
export declare function parseURL(url: string): Record<string, unknown>
