import * as oxidis from './index.js'

export * from './index.js'
export default oxidis
