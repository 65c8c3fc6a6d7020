// Such a write as the broker takes it, from its stored row.
import { convertPosition, storedGtt } from '@ticker/shared/domain'
import { conversionForm, gttForm } from '@ticker/shared/kite-http'
import type { OrderRequest } from '../orders/order-line.ts'
import type { AccountWrite } from './write-store.ts'

const TRIGGERS = '/gtt/triggers'

export function writeRequest({ kind, request, triggerId }: AccountWrite): OrderRequest {
  switch (kind) {
    case 'gtt_place':
      return { method: 'POST', path: TRIGGERS, form: gttForm(storedGtt.parse(request)) }
    case 'gtt_modify':
      return { method: 'PUT', path: pathOf(triggerId), form: gttForm(storedGtt.parse(request)) }
    case 'gtt_delete':
      return deleteRequest(triggerId)
    case 'convert':
      return {
        ...{ method: 'PUT', path: '/portfolio/positions' },
        form: conversionForm(convertPosition.parse(request)),
      }
  }
}

export const deleteRequest = (triggerId: string | null): OrderRequest => ({
  method: 'DELETE',
  path: pathOf(triggerId),
})

const pathOf = (triggerId: string | null) => `${TRIGGERS}/${encodeURIComponent(triggerId ?? '')}`
