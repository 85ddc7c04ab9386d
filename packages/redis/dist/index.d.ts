export * from 'oxidis'
