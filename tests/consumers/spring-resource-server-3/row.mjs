export * from '../spring-resource-server/row.mjs'
export const title = 'Spring Boot resource server, 3'
export const short = false
export const page = 'spring-resource-server'
