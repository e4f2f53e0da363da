import type { CatalogueVendor } from '@signalbox/sdk/contract'

/**
 * What vendors say of the data of API calls, by default and without a special agreement. Only what a vendor's own page
 * says; a vendor that is not here has said nothing that we know of, which is not the same as good.
 */
export const dataPolicies: readonly CatalogueVendor[] = [
  {
    name: 'openai',
    trainsOnData: false,
    retentionDays: 30,
    source: 'https://developers.openai.com/api/docs/guides/your-data',
  },
  {
    name: 'anthropic',
    trainsOnData: false,
    retentionDays: 30,
    source: 'https://privacy.claude.com/en/articles/7996866-how-long-do-you-store-my-organization-s-data',
  },
  {
    name: 'azure-openai',
    trainsOnData: false,
    retentionDays: 30,
    source: 'https://learn.microsoft.com/en-us/azure/ai-foundry/responsible-ai/openai/data-privacy',
  },
  {
    name: 'bedrock',
    trainsOnData: false,
    retentionDays: 0,
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/data-protection.html',
  },
  { name: 'groq', trainsOnData: false, source: 'https://console.groq.com/docs/your-data' },
]
