export * from '../spring-client/row.mjs'
export const title = 'Spring Boot OAuth 2 client, 3'
export const short = false
export const page = 'spring-client'
