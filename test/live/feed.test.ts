import {EventEmitter} from 'node:events';
import type {ServerResponse} from 'node:http';
import test from 'ava';
import {createFeed} from '../../lib/live/feed.js';

/** A response whose client reads only when told to. */
class Slow extends EventEmitter {
  readonly written: string[] = [];
  isOpen = true;
  isFull = false;

  write(text: string): boolean {
    this.written.push(text);
    return !this.isFull;
  }

  end(text = ''): void {
    this.written.push(text);
    this.isOpen = false;
    this.emit('close');
  }
}

const responseOf = (slow: Slow): ServerResponse => slow as unknown as ServerResponse;
const parts = (now: number) => [
  {id: 'still', html: 'as ever'},
  {id: 'now', html: String(now)},
];

test('a client that does not read has one message waiting, and then gets the newest state alone', (t) => {
  const feed = createFeed();
  const slow = new Slow();
  feed.publish(parts(0));
  feed.add(responseOf(slow), undefined);
  slow.isFull = true;
  for (let now = 1; now <= 1000; now++) feed.publish(parts(now));
  t.is(slow.written.length, 3); // when to try again, the first state, and one more that waits
  slow.isFull = false;
  slow.emit('drain');
  t.is(slow.written.length, 4);
  t.regex(slow.written[3]!, /^id: [0-9a-f]{12}-1001\ndata: \[\["now","1000"\]\]\n\n$/);
  slow.emit('drain');
  t.is(slow.written.length, 4);
});

test('a slow client does not hold up another', (t) => {
  const feed = createFeed();
  const [slow, quick] = [new Slow(), new Slow()];
  for (const each of [slow, quick]) feed.add(responseOf(each), undefined);
  slow.isFull = true;
  for (let now = 1; now <= 10; now++) feed.publish(parts(now));
  t.is(quick.written.length, slow.written.length + 9);
});

test('a state that is like the one before is no news', (t) => {
  const feed = createFeed();
  const client = new Slow();
  feed.add(responseOf(client), undefined);
  feed.publish(parts(1));
  const {eventId} = feed;
  const before = client.written.length;
  feed.publish(parts(1));
  t.is(client.written.length, before);
  t.is(feed.eventId, eventId);
});

test('a client that has gone is forgotten', (t) => {
  const feed = createFeed();
  const client = new Slow();
  feed.add(responseOf(client), undefined);
  t.is(feed.clients, 1);
  client.end();
  t.is(feed.clients, 0);
  const before = client.written.length;
  feed.publish(parts(1));
  t.is(client.written.length, before);
});

test('the end tells the last state to all', (t) => {
  const feed = createFeed();
  const clients = [new Slow(), new Slow()];
  feed.publish(parts(1));
  for (const each of clients) feed.add(responseOf(each), feed.eventId);
  feed.publish(parts(2));
  feed.end();
  for (const {written, isOpen} of clients) {
    t.false(isOpen);
    t.regex(written.at(-1)!, /^event: end\nid: /);
  }
  t.is(feed.clients, 0);
});
