import { describe, expect, it } from 'vitest'
import { alertRows } from '../../../src/monitor/alert-rows.ts'
import {
  type Action,
  type Extent,
  firstView,
  type KeyName,
  type Press,
  pressed,
  type View,
} from '../../../src/monitor/view.ts'
import { alert, dataOf } from './scene.ts'

const alerts = alertRows({
  ...dataOf(),
  alerts: { state: 'ok', firing: [alert('KpiStale'), alert('FeedSilent', { severity: 'critical' })] },
})
const extent: Extent = { symbols: 100, symbolPage: 10, panelLines: 30, panelPage: 20, alerts }

/** Letters as they are, other keys by name: `type('/', 'b', 'return')`. */
function type(...keys: (KeyName | string)[]): { view: View; actions: Action[] } {
  return typeFrom(firstView, ...keys)
}

function typeFrom(start: View, ...keys: (KeyName | string)[]): { view: View; actions: Action[] } {
  const actions: Action[] = []
  let view = start
  for (const key of keys) {
    const press: Press = key.length > 1 ? { name: key as KeyName } : { text: key }
    const result = pressed(view, press, extent)
    view = result.view
    if (result.action) actions.push(result.action)
  }
  return { view, actions }
}

describe('panels', () => {
  it.each([
    ['1', 'kafka'],
    ['2', 'postgres'],
    ['3', 'consumer'],
    ['4', 'symbols'],
    ['5', 'alerts'],
    ['a', 'alerts'],
  ])('%s shows %s alone, and all again', (key, panel) => {
    expect(type(key).view.panel).toBe(panel)
    expect(type(key, key).view.panel).toBeNull()
    expect(type(key, 'escape').view.panel).toBeNull()
    expect(type('?', key).view).toMatchObject({ panel, isHelp: false })
  })

  it('ignores letters that mean nothing', () => {
    expect(type('6', 'x', '9', 'é').view).toEqual(firstView)
  })
})

describe('wishes', () => {
  it.each([
    ['q', 'quit'],
    ['p', 'pause'],
    ['r', 'refresh'],
  ])('%s: %s', (key, kind) => {
    expect(type(key).actions).toEqual([{ kind }])
  })

  it('keeps the wish of letters that come together', () => {
    const { view, action } = pressed(firstView, { text: 'p?' }, extent)
    expect(action).toEqual({ kind: 'pause' })
    expect(view.isHelp).toBe(true)
  })
})

describe('sorting', () => {
  it('s sorts by the chosen column, the largest first; again, the other way round', () => {
    expect(type('right', 's').view.sort).toEqual({ key: 'close', isDescending: true })
    expect(type('right', 's', 's').view.sort).toEqual({ key: 'close', isDescending: false })
    expect(type('s').view.sort).toEqual({ key: 'symbol', isDescending: true })
  })

  it('stays within the columns', () => {
    expect(type('left').view.column).toBe('symbol')
    expect(type(...Array<string>(20).fill('right')).view.column).toBe('updated')
  })
})

describe('scrolling', () => {
  it.each([
    [['down', 'down', 'up'], 1],
    [['up'], 0],
    [['pageDown'], 9],
    [['pageDown', 'pageUp'], 0],
    [['end'], 90],
    [['end', 'down'], 90],
    [['end', 'home'], 0],
  ])('%j: row %i', (keys, top) => {
    expect(type(...keys).view.symbolTop).toBe(top)
  })

  it('moves at once where a filter left fewer rows than were scrolled by', () => {
    expect(typeFrom({ ...firstView, symbolTop: 500 }, 'up').view.symbolTop).toBe(89)
  })

  it('scrolls a panel that has the screen', () => {
    expect(type('1', 'end').view).toMatchObject({ panelTop: 10, symbolTop: 0 })
    expect(type('1', 'end', '2').view.panelTop).toBe(0)
  })
})

describe('the filter', () => {
  it('takes every letter, keeps it at Enter, and clears it at Esc', () => {
    expect(type('/', 'b', 'q', '/', '1').view).toMatchObject({ filter: 'bq/1', isFiltering: true })
    expect(type('/', 'b', 't', 'backspace', 'return').view).toMatchObject({ filter: 'b', isFiltering: false })
    expect(type('/', 'b', 'escape').view).toMatchObject({ filter: '', isFiltering: false })
    expect(type('/', 'b', 'return', 'escape').view.filter).toBe('')
    expect(type('/', 'q').actions).toEqual([])
  })

  it('begins anew at the first row, and is no longer than a symbol', () => {
    expect(type('down', '/', 'b').view.symbolTop).toBe(0)
    expect(type('/', ...Array<string>(40).fill('x')).view.filter).toHaveLength(32)
  })

  it('takes no control characters from what is pasted', () => {
    const { view } = pressed({ ...firstView, isFiltering: true }, { text: 'BTC\u001b[2J/U SD\n' }, extent)
    expect(view.filter).toBe('BTC/USD')
  })

  it('takes what was typed right behind the slash', () => {
    expect(pressed(firstView, { text: '/btc' }, extent).view).toMatchObject({ filter: 'btc', isFiltering: true })
  })
})

describe('silencing', () => {
  it('silences the chosen alert for an hour, unless told otherwise', () => {
    const [first, second] = alerts
    expect(first?.rule).toBe('FeedSilent')
    expect(type('a', 'return', 'return').actions).toEqual([{ kind: 'silence', alert: first, seconds: 3600 }])
    const { view, actions } = type('a', 'down', 'down', 'return', 'right', 'right', 'right', 'return')
    expect(actions).toEqual([{ kind: 'silence', alert: second, seconds: 86_400 }])
    expect(view.silencing).toBeNull()
  })

  it('does nothing at Esc', () => {
    const { view, actions } = type('a', 'return', 'left', 'escape')
    expect(view).toMatchObject({ silencing: null, panel: 'alerts' })
    expect(actions).toEqual([])
  })

  it('has nothing to silence without alerts', () => {
    const view = { ...firstView, panel: 'alerts' as const }
    expect(pressed(view, { name: 'return' }, { ...extent, alerts: [] }).view.silencing).toBeNull()
  })
})

it('forgets what it told at the next key', () => {
  expect(typeFrom({ ...firstView, notice: 'looking …' }, 'down').view.notice).toBe('')
})
