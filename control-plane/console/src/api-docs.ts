// The browsable API: Swagger UI from our own assets, on the document that the routes themselves produce.
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'
import 'swagger-ui-dist/swagger-ui.css'

SwaggerUI({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
})
