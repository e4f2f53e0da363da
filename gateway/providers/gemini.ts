import { geminiProvider } from '../wire/gemini/provider.ts'

/** Google AI Studio, Gemini: the version of the API that the caller asks under, else the one with all features. */
export const provider = geminiProvider({
  id: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com',
  telemetryName: 'gcp.gemini',
  vendor: 'google',
  authenticate: (credential) => (credential === undefined ? {} : { 'x-goog-api-key': credential }),
  modelPath: (model, { apiVersion = 'v1beta' }) => `/${apiVersion}/models/${encodeURIComponent(model)}`,
})
