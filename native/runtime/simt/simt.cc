// simt runtime: fibers, warp collectives, barriers, async copies, tensor-core ops, shadow memory, access profile.
#include "runtime/simt/language.h"
#include "runtime/simt/counters.h"
#include <map>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>
#include <dlfcn.h>
#include <sys/mman.h>

#if defined(__x86_64__)
asm(".text\n.globl simt_switch\n.type simt_switch,@function\nsimt_switch:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\n"
    "ret\n.size simt_switch,.-simt_switch\n");   // ret or pop+jmp: no measurable difference
#else
#error "port simt_switch (aarch64: x19-x30, d8-d15, sp)"
#endif
extern "C" void simt_switch(void** save, void* to);

namespace simt {
thread_local Fiber* self = nullptr;

constexpr size_t kStack = 128 << 10, kArena = 256 << 10, kBase = 1024;  // kBase: first usable shared-window offset
constexpr uint32_t kClkBits = 21, kClkMask = (1u << kClkBits) - 1;

struct VC { int ref; uint32_t c[kMaxThreads + kMaxAgents]; };
struct Cell { uint32_t w, r[4]; uint8_t init, pend, rr, pad; };   // one per 2 bytes of shared memory
struct Acc { void* pc; uintptr_t a; uint32_t n; uint8_t wr, shared; };
struct Ext {
  std::vector<Pending> cp; size_t head = 0; std::vector<uint32_t> cpg; size_t gh = 0;
  std::vector<Acc> log;
  void reset() { cp.clear(); head = 0; cpg.clear(); gh = 0; log.clear(); }
};
struct Coll { uint32_t mask, arrived; void (*fn)(Block&, Coll&); void* args[32]; const char* file; int line; };
struct Warp { uint32_t ready, alive; int npend; Coll pend[8]; Fiber* f; };
struct Bar { int arrived = 0, expected = 0; std::vector<Fiber*> in; std::vector<uint8_t> wait; const char* file = nullptr; int line = 0; };

static Config g_cfg; static std::mutex g_mu; static std::set<std::string> g_seen; static std::string g_last; static std::atomic<int> g_errs{0};
static Stats g_stats{};
Config& config() { return g_cfg; }
static const bool g_check = [] { const char* e = getenv("CROSSMAP_SIMT"); g_cfg.mode = e && strstr(e, "check=0") ? Mode::fast : Mode::check; g_cfg.workers = 2; return true; }();
int error_count() { return g_errs; }
const char* last_error() { return g_last.c_str(); }
void clear_errors() { std::lock_guard<std::mutex> l(g_mu); g_errs = 0; g_seen.clear(); g_last.clear(); }
Stats stats() { return g_stats; }
void stats_reset() { memset(&g_stats, 0, sizeof g_stats); }

struct Block : BlockView {
  Fiber fib[kMaxThreads]; Ext ext[kMaxThreads]; Warp warp[kMaxWarps]; Bar bar[16];
  std::vector<std::pair<const void*, uint32_t>> statics;
  char *stacks, *arena; Cell* cell; uint32_t smem_end; uint32_t dyn_off;
  void* sched; uint32_t wready = 0; int cw = 0; int nthreads, nwarps, alive; bool dead;
  void (*fn)(void*); void* arg; const char* name; Stats st{}; std::vector<VC*> pool; bool check, prof; int nvc;

  Block() {
    stacks = (char*)mmap(0, kStack * kMaxThreads, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int i = 0; i < kMaxThreads; i++) mprotect(stacks + i * kStack, 4096, PROT_NONE);   // guard page
    arena = (char*)mmap(0, kArena * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    arena = (char*)(((uintptr_t)arena + kArena - 1) & ~(uintptr_t)(kArena - 1));
    cell = (Cell*)mmap(0, sizeof(Cell) * kArena / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  // ready sets are bit masks per warp, and the current warp is drained first: its 32 stacks stay in L1 / the TLB
  void push(Fiber* f) { f->warp->ready |= 1u << f->lane; wready |= 1u << (f->lin >> 5); }
  Fiber* pop() {
    uint32_t m = warp[cw].ready;
    if (!m) { wready &= ~(1u << cw); if (!wready) return nullptr; uint32_t hi = wready & ~((2u << cw) - 1); cw = __builtin_ctz(hi ? hi : wready); m = warp[cw].ready; }
    int l = __builtin_ctz(m); warp[cw].ready = m & (m - 1); return fib + cw * 32 + l; }
  VC* vnew() { VC* v; if (pool.empty()) v = new VC; else { v = pool.back(); pool.pop_back(); } v->ref = 1; return v; }
  VC* vzero() { VC* v = vnew(); memset(v->c, 0, 4 * (kMaxThreads + kMaxAgents)); return v; }
  void vput(VC* v) { if (v && --v->ref == 0) pool.push_back(v); }
  void vmax(VC* d, const VC* s) { for (int i = 0; i < nvc; i++) d->c[i] = d->c[i] > s->c[i] ? d->c[i] : s->c[i]; }
  VC* vclone(const VC* s) { VC* v = vnew(); memcpy(v->c, s->c, 4 * nvc); return v; }
};

static int pcline(void* pc) { Dl_info i; return pc && dladdr(pc, &i) ? (int)((char*)pc - (char*)i.dli_fbase) : (int)(uintptr_t)pc; }   // module offset: addr2line resolves it
static void report(const char* kind, const char* file, int line, const std::string& msg) {
  char key[512]; snprintf(key, sizeof key, "%s|%s|%d", kind, file ? file : "", line);
  std::lock_guard<std::mutex> l(g_mu); g_errs++;
  if (!g_seen.insert(key).second) return;
  const char* b = file ? strrchr(file, '/') : nullptr; char t[1024];
  snprintf(t, sizeof t, file ? "simt: %s at %s:%d: %s" : "simt: %s at %s+0x%x: %s", kind, b ? b + 1 : (file ? file : "module"), line, msg.c_str());
  g_last = t; if (!getenv("SIMT_QUIET")) fprintf(stderr, "%s\n", t);
  if (g_cfg.abort_on_error) abort();
}
static std::string who(Fiber* f) { char t[96]; auto* v = gview(f); snprintf(t, sizeof t, "block(%u,%u,%u) thread(%u,%u,%u)", v->bid.x, v->bid.y, v->bid.z, f->tid.x, f->tid.y, f->tid.z); return t; }

static void suspend(const char* what, const char* file, int line) {
  Fiber* me = self; Block& b = *me->blk; me->wwhat = what; me->wfile = file; me->wline = line;
  Fiber* nx = b.pop(); if (nx == me) return;
  b.st.switches++; self = nx; simt_switch(&me->sp, nx ? nx->sp : b.sched);
}

// ---- happens-before ------------------------------------------------------------------------------------------------
static void hb_join(Block& b, Fiber** f, int n, uint32_t skip = 0) {   // all n threads synchronise with each other
  if (!b.check) return;
  VC* nb = b.vclone(f[0]->base); VC* last = f[0]->base;
  for (int i = 1; i < n; i++) if (f[i]->base != last) { b.vmax(nb, f[i]->base); last = f[i]->base; }
  for (int i = 0; i < n; i++) nb->c[f[i]->lin] = f[i]->clk > nb->c[f[i]->lin] ? f[i]->clk : nb->c[f[i]->lin];
  for (int i = 0; i < n; i++) { b.vput(f[i]->base); f[i]->base = nb; nb->ref++; f[i]->clk++; }
  nb->ref--;
}
static inline bool hb(uint32_t s, uint32_t lin, const VC* base) { uint32_t t = (s >> kClkBits) - 1; return t == lin || (s & kClkMask) <= base->c[t]; }

static void race(Block& b, uint32_t off, uint32_t s, bool wr, bool prevw, uint32_t lin, const char* file, int line, void* pc) {
  char t[256]; uint32_t o = (s >> kClkBits) - 1;
  snprintf(t, sizeof t, "shared+%u: %s by thread %u after unordered %s by %s %u (block %u, pc %p)", off - (uint32_t)kBase, wr ? "write" : "read", lin,
           prevw ? "write" : "read", o >= (uint32_t)kMaxThreads ? "async agent" : "thread", o >= (uint32_t)kMaxThreads ? o - kMaxThreads : o, b.bid.x, pc);
  b.st.races++; report("shared-memory race", file, line ? line : pcline(pc), t);
}
// granule = 2 bytes. lin may be an async agent (kMaxThreads+i). proxy: access by tensor cores / TMA
static void shadow(Block& b, uint32_t off, uint32_t n, bool wr, uint32_t lin, uint32_t clk, const VC* base, const char* file, int line, void* pc, bool proxy = false) {
  if (off < kBase || off + n > b.smem_end) { char t[160]; b.st.oob++;
    snprintf(t, sizeof t, "%u bytes at shared offset %d, size %u (thread %u, pc %p)", n, (int)off - (int)kBase, b.smem_end - (uint32_t)kBase, lin, pc);
    report("shared out of bounds", file, line ? line : pcline(pc), t); return; }
  uint32_t me = ((lin + 1) << kClkBits) | (clk & kClkMask);
  for (uint32_t g = off >> 1, e = (off + n + 1) >> 1; g < e; g++) {
    Cell& c = b.cell[g];
    if (__builtin_expect(c.pend, 0)) { char t[160]; snprintf(t, sizeof t, "shared+%u %s by thread %u while an async copy into it is in flight (pc %p)", g * 2 - (uint32_t)kBase, wr ? "written" : "read", lin, pc); b.st.races++; report("async copy not waited for", file, line ? line : pcline(pc), t); }
    if (c.w && c.w != me && !hb(c.w, lin, base)) race(b, g * 2, c.w, wr, true, lin, file, line, pc);
    if (wr) {
      for (uint32_t r : c.r) if (r && !hb(r, lin, base)) { race(b, g * 2, r, true, false, lin, file, line, pc); break; }
      c.w = me; c.r[0] = c.r[1] = c.r[2] = c.r[3] = 0; c.init = 1;
    } else {
      if (!c.init) { char t[128]; snprintf(t, sizeof t, "shared+%u read by thread %u (pc %p)", g * 2 - (uint32_t)kBase, lin, pc); b.st.uninit++; report("uninitialised shared read", file, line ? line : pcline(pc), t); c.init = 1; }
      if (proxy && c.w) { uint32_t t = (c.w >> kClkBits) - 1; if (t < (uint32_t)b.nthreads && (c.w & kClkMask) >= b.fib[t].fence_clk) {
          char m[160]; snprintf(m, sizeof m, "shared+%u written by thread %u is read by the async proxy without fence.proxy.async", g * 2 - (uint32_t)kBase, t); report("missing proxy fence", file, line, m); } }
      if (c.r[0] == me || c.r[1] == me || c.r[2] == me || c.r[3] == me) continue;
      int k = -1; for (int i = 0; i < 4; i++) if (!c.r[i] || hb(c.r[i], lin, base)) { k = i; break; }
      if (k < 0) { k = c.rr++ & 3; }
      c.r[k] = me;
    }
  }
}

// ---- access profile --------------------------------------------------------------------------------------------------
static void count_group(Block& b, const Acc* const* g, int n) {
  const Acc& a0 = *g[0];
  if (!a0.shared) { // 32-byte sectors, distinct within one warp instruction
    uintptr_t s[256]; int k = 0; for (int i = 0; i < n; i++) for (uintptr_t x = g[i]->a >> 5; x <= (g[i]->a + g[i]->n - 1) >> 5 && k < 256; x++) { bool d = false; for (int j = k - 1; j >= 0 && j >= k - 40; j--) if (s[j] == x) { d = true; break; } if (!d) s[k++] = x; }
    b.st.g_req++; b.st.g_sectors += k; for (int i = 0; i < n; i++) b.st.g_bytes += g[i]->n;
  } else { // 32 banks x 4 bytes; 8/16-byte accesses go in 2/4 phases of lanes
    int per = a0.n >= 16 ? 8 : a0.n >= 8 ? 16 : 32; b.st.s_req++;
    for (int p = 0; p < n; p += per) { uint32_t words[32][32]; int cnt[32] = {}; int mx = 1;
      for (int i = p; i < n && i < p + per; i++) { b.st.s_bytes += g[i]->n; for (uintptr_t w = g[i]->a >> 2; w <= (g[i]->a + g[i]->n - 1) >> 2; w++) { int bk = w & 31; bool d = false; for (int j = 0; j < cnt[bk]; j++) d |= words[bk][j] == (uint32_t)w; if (!d && cnt[bk] < 32) { words[bk][cnt[bk]++] = (uint32_t)w; if (cnt[bk] > mx) mx = cnt[bk]; } } }
      b.st.s_wave += mx; int words_total = 0; for (int c : cnt) words_total += c; b.st.s_ideal += (words_total + 31) / 32; }
  }
}
static void flush_log(Block& b, Warp& w) {
  size_t pos[32] = {}; int nl = 0; Ext* e[32];
  for (int l = 0; l < 32 && (int)(w.f->lin + l) < b.nthreads; l++) { e[l] = (Ext*)w.f[l].ext; nl++; }
  for (;;) { int first = -1; for (int l = 0; l < nl; l++) if (pos[l] < e[l]->log.size()) { first = l; break; }
    if (first < 0) break;
    const Acc& h = e[first]->log[pos[first]]; const Acc* g[32] = {}; int n = 0;
    for (int l = first; l < nl; l++) if (pos[l] < e[l]->log.size()) { const Acc& x = e[l]->log[pos[l]]; if (x.pc == h.pc && x.n == h.n && x.shared == h.shared) { g[n++] = &x; pos[l]++; } }
    count_group(b, g, n); }
  for (int l = 0; l < nl; l++) e[l]->log.clear();
}

// ---- global memory -----------------------------------------------------------------------------------------------------
constexpr size_t kG = size_t(16) << 30; static char* g_base; static uint16_t* g_valid; static size_t g_top = 4096; static std::vector<std::pair<char*, size_t>> g_live;
static void ginit() { static std::once_flag o; std::call_once(o, [] {
  g_base = (char*)mmap(0, kG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  g_valid = (uint16_t*)mmap(0, kG / 256 * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); }); }
void* dev_alloc(size_t n) { ginit(); std::lock_guard<std::mutex> l(g_mu); char* p = g_base + g_top; g_top += (n + 255) / 256 * 256 + 4096;
  for (size_t i = 0; i < n; i += 256) g_valid[(p - g_base + i) >> 8] = n - i < 256 ? n - i : 256;
  memset(p, 0xff, n); g_live.push_back({p, n}); return p; }          // 0xff.. = NaN for every float type
void dev_free(void* q) { std::lock_guard<std::mutex> l(g_mu); for (auto& x : g_live) if (x.first == q) { for (size_t i = 0; i < x.second; i += 256) g_valid[((char*)q - g_base + i) >> 8] = 0; madvise((void*)(((uintptr_t)q + 4095) & ~4095ul), x.second & ~4095ul, MADV_DONTNEED); x = g_live.back(); g_live.pop_back(); return; } }
static bool gcheck(uintptr_t off, size_t n) { for (uintptr_t o = off; o < off + n;) { uintptr_t e = (o | 255) + 1; if (e > off + n) e = off + n; if (((e - 1) & 255) >= g_valid[o >> 8]) return false; o = e; } return true; }

static void access(void* p, size_t n, bool wr, void* pc) {
  Fiber* f = self; if (!f) return; Block& b = *f->blk; if (!b.check) return;
  uintptr_t a = (uintptr_t)p; if (a - (uintptr_t)f->stk_lo < kStack) return;
  b.st.accesses++;
  uintptr_t so = a - (uintptr_t)b.arena, go = a - (uintptr_t)g_base;
  if (so < kArena) { shadow(b, (uint32_t)so, (uint32_t)n, wr, f->lin, f->clk, f->base, nullptr, 0, pc); if (b.prof) ((Ext*)f->ext)->log.push_back({pc, so, (uint32_t)n, wr, 1}); }
  else if (go < kG) { if (!gcheck(go, n)) { char t[160]; snprintf(t, sizeof t, "%zu-byte %s at global+%zu (pc %p), %s", n, wr ? "write" : "read", (size_t)go, pc, who(f).c_str()); b.st.oob++; report("global out of bounds", nullptr, pcline(pc), t); }
    if (b.prof) ((Ext*)f->ext)->log.push_back({pc, a, (uint32_t)n, wr, 0}); }
  else if (a - (uintptr_t)b.stacks < kStack * kMaxThreads) report("other thread's local memory", nullptr, pcline(pc), who(f));
  else b.st.other++;      // constant tables, runtime structs, kernel params; host heap pointers would land here too
}
void note_access(const void* p, size_t n, bool wr, void* pc) { access((void*)p, n, wr, pc ? pc : __builtin_return_address(0)); }

// ---- collectives -----------------------------------------------------------------------------------------------------
static void collect(uint32_t mask, void (*fn)(Block&, Coll&), void* arg, const char* what, const char* file, int line) {
  Fiber* f = self; Block& b = *f->blk; Warp& w = *f->warp; uint32_t bit = 1u << f->lane; Coll* c = nullptr;
  if (__builtin_expect(!(mask & bit), 0)) report("lane not in its own mask", file, line, who(f));
  for (int i = 0; i < w.npend; i++) { Coll& q = w.pend[i];
    if (q.mask == mask && q.fn == fn && !(q.arrived & bit)) { c = &q; break; }
    if (q.arrived & mask) { char t[256]; snprintf(t, sizeof t, "%s: lane %u is at %s while lanes %08x wait at line %d", who(f).c_str(), f->lane, what, q.arrived, q.line); report("divergent warp collective", file, line, t); } }
  if (!c) { c = &w.pend[w.npend++]; c->mask = mask; c->arrived = 0; c->fn = fn; c->file = file; c->line = line; }
  c->args[f->lane] = arg; c->arrived |= bit;
  if ((c->arrived & w.alive & mask) == (w.alive & mask)) {
    b.st.warp_ops++; if (b.prof && mask == 0xffffffffu) flush_log(b, w);
    fn(b, *c);
    uint32_t m = c->arrived & ~bit; int idx = c - w.pend; w.npend--; if (idx != w.npend) w.pend[idx] = w.pend[w.npend];
    w.ready |= m; b.wready |= 1u << (f->lin >> 5);
    return;
  }
  suspend(what, file, line);
}
struct ShflA { uint64_t v; int src, mode, width; uint64_t r; };
uint64_t shfl(uint32_t mask, uint64_t v, int src, int mode, int width, const char* file, int line) {
  ShflA a{v, src, mode, width, v}; self->blk->st.shfl++;
  collect(mask, [](Block&, Coll& c) { for (uint32_t m = c.arrived; m; m &= m - 1) { int l = __builtin_ctz(m); ShflA& x = *(ShflA*)c.args[l];
      int seg = l & ~(x.width - 1), s; 
      switch (x.mode) { case 0: s = seg + (x.src & (x.width - 1)); break; case 1: s = l - x.src; if (s < seg) s = l; break; case 2: s = l + x.src; if (s >= seg + x.width) s = l; break; default: s = l ^ x.src; if (s >= seg + x.width) s = l; }
      if (!(c.arrived >> s & 1)) { report("shuffle reads a lane outside the mask", c.file, c.line, ""); x.r = 0xdeadbeefdeadbeefull; } else x.r = ((ShflA*)c.args[s])->v; } }, &a, "shfl", file, line);
  return a.r;
}
struct BalA { bool p; uint32_t r; };
uint32_t ballot(uint32_t mask, bool p, const char* file, int line) { BalA a{p, 0};
  collect(mask, [](Block&, Coll& c) { uint32_t r = 0; for (uint32_t m = c.arrived; m; m &= m - 1) { int l = __builtin_ctz(m); if (((BalA*)c.args[l])->p) r |= 1u << l; } for (uint32_t m = c.arrived; m; m &= m - 1) ((BalA*)c.args[__builtin_ctz(m)])->r = r; }, &a, "ballot", file, line); return a.r; }
void sync_warp(uint32_t mask, const char* file, int line) {
  collect(mask, [](Block& b, Coll& c) { Fiber* f[32]; int n = 0; for (uint32_t m = c.arrived; m; m &= m - 1) f[n++] = (Fiber*)c.args[__builtin_ctz(m)]; hb_join(b, f, n); }, self, "__syncwarp", file, line); }

static void bar_done(Block& b, Bar& r) {
  b.st.barriers++; hb_join(b, r.in.data(), (int)r.in.size());
  if (b.prof) for (int w = 0; w < b.nwarps; w++) flush_log(b, b.warp[w]);
  for (size_t i = 0; i < r.in.size(); i++) if (r.wait[i] && r.in[i] != self) b.push(r.in[i]);
  r.in.clear(); r.wait.clear(); r.arrived = 0; r.file = nullptr;
}
static bool bar_in(int id, int n, bool wait, const char* file, int line) {
  Fiber* f = self; Block& b = *f->blk; Bar& r = b.bar[id]; int need = n ? n : b.alive;
  if (r.file && (r.expected != n)) report("barrier count mismatch", file, line, who(f));
  if (r.file && id == 0 && n == 0 && (r.line != line || strcmp(r.file, file))) { char t[128]; snprintf(t, sizeof t, "%s meets threads waiting at line %d", who(f).c_str(), r.line); report("divergent __syncthreads", file, line, t); }
  r.file = file; r.line = line; r.expected = n; r.in.push_back(f); r.wait.push_back(wait); r.arrived++;
  if (r.arrived >= need) { bar_done(b, r); return true; } return false;
}
void bar_sync(int id, int n, const char* file, int line) { if (!bar_in(id, n, true, file, line)) suspend("barrier", file, line); }
void bar_arrive(int id, int n, const char* file, int line) { bar_in(id, n, false, file, line); }

// ---- shared memory -----------------------------------------------------------------------------------------------------
char* dynamicShared() { Block& b = *self->blk; return b.arena + b.dyn_off; }
uint32_t sharedAddress(const void* p) { return (uint32_t)((char*)p - self->blk->arena); }

void copyAsync(uint32_t dst, const void* src, int bytes, int sb, const char* file, int line) {
  Fiber* f = self; Block& b = *f->blk; Ext& e = *(Ext*)f->ext; b.st.cp_async_bytes += sb;
  if ((dst | (uintptr_t)src) & (bytes - 1)) report("misaligned cp.async", file, line, who(f));
  if (b.check) { uintptr_t go = (uintptr_t)src - (uintptr_t)g_base; if (sb && (go >= kG || !gcheck(go, sb))) { b.st.oob++; report("cp.async global out of bounds", file, line, who(f)); sb = 0; }
    shadow(b, dst, bytes, true, f->lin, f->clk, f->base, file, line, nullptr); for (int i = 0; i < bytes / 2; i++) b.cell[dst / 2 + i].pend = 1;
    if (b.prof) { void* pc = (void*)(uintptr_t)(line + 1); if (sb) e.log.push_back({pc, (uintptr_t)src, (uint32_t)sb, 0, 0}); e.log.push_back({pc, dst, (uint32_t)bytes, 1, 1}); } }
  else if (dst < kBase || dst + bytes > b.smem_end) { report("shared out of bounds", file, line, who(f)); return; }
  e.cp.push_back({dst, src, (uint32_t)bytes, (uint32_t)sb, file, line});
}
void commitCopies() { Ext& e = *(Ext*)self->ext; e.cpg.push_back((uint32_t)e.cp.size()); }
void waitCopies(int n) { Fiber* f = self; Block& b = *f->blk; Ext& e = *(Ext*)f->ext;
  while (e.cpg.size() - e.gh > (size_t)n) { size_t end = e.cpg[e.gh++]; for (; e.head < end; e.head++) { Pending& p = e.cp[e.head]; char* d = b.arena + p.dst;
      if (p.bytes == 16 && p.srcbytes == 16) memcpy(d, p.src, 16); else { memcpy(d, p.src, p.srcbytes); memset(d + p.srcbytes, 0, p.bytes - p.srcbytes); }
      if (b.check) { for (uint32_t i = 0; i < p.bytes / 2; i++) b.cell[p.dst / 2 + i].pend = 0; shadow(b, p.dst, p.bytes, true, f->lin, f->clk, f->base, p.file, p.line, nullptr); } } }
  if (e.gh == e.cpg.size() && e.head == e.cp.size()) { e.cp.clear(); e.cpg.clear(); e.gh = e.head = 0; } }

struct LdmA { uint32_t addr; uint32_t* r; int num; bool trans; };
void loadMatricesN(uint32_t* r, int num, uint32_t addr, bool trans, const char* file, int line) {
  LdmA a{addr, r, num, trans};
  collect(0xffffffffu, [](Block& b, Coll& c) { LdmA& a0 = *(LdmA*)c.args[0]; b.st.ldmatrix++; Warp& w = *self->warp;
      for (int m = 0; m < a0.num; m++) { const uint16_t* row[8]; int bank[8] = {}; uint32_t seen[8]; 
        for (int i = 0; i < 8; i++) { LdmA& x = *(LdmA*)c.args[m * 8 + i]; Fiber& f = w.f[m * 8 + i]; if (x.addr & 15) report("misaligned ldmatrix row", c.file, c.line, who(&f));
          if (b.check) shadow(b, x.addr, 16, false, f.lin, f.clk, f.base, c.file, c.line, nullptr);
          if (x.addr < kBase || x.addr + 16 > b.smem_end) { if (!b.check) report("shared out of bounds", c.file, c.line, who(&f)); row[i] = (uint16_t*)(b.arena + kBase); } else row[i] = (uint16_t*)(b.arena + x.addr);
          seen[i] = x.addr; bool dup = false; for (int j = 0; j < i; j++) dup |= seen[j] == x.addr; if (!dup) bank[(x.addr >> 4) & 7]++; }
        int mx = 1; for (int k : bank) mx = k > mx ? k : mx; b.st.s_req++; b.st.s_wave += mx; b.st.s_ideal++; b.st.s_bytes += 128;
        for (int l = 0; l < 32; l++) { LdmA& x = *(LdmA*)c.args[l]; if (!a0.trans) memcpy(&x.r[m], row[l >> 2] + (l & 3) * 2, 4); else x.r[m] = row[(l & 3) * 2][l >> 2] | (uint32_t)row[(l & 3) * 2 + 1][l >> 2] << 16; } } }, &a, "ldmatrix", file, line);
}

// ---- tensor cores --------------------------------------------------------------------------------------------------------
static inline float bf(uint16_t h) { uint32_t u = (uint32_t)h << 16; float f; memcpy(&f, &u, 4); return f; }
static float hf(uint16_t h) { uint32_t s = (h & 0x8000u) << 16, e = h >> 10 & 31, m = h & 1023, u; float f; if (e == 31) u = s | 0x7f800000 | m << 13; else if (e) u = s | (e + 112) << 23 | m << 13; else { f = m * 5.9604644775390625e-8f; memcpy(&u, &f, 4); u |= s; } memcpy(&f, &u, 4); return f; }
#ifdef __clang__
#define SIMT_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SIMT_CLONES __attribute__((target_clones("avx512f", "avx2", "default"), noinline))
#endif
struct MmaA { float* d; const uint32_t *a, *b; const float* c; int kind; };
typedef float v8 __attribute__((vector_size(32)));
SIMT_CLONES static void mma_exec(void* const* args, int kind) {
  alignas(32) float A[16][16], B[16][8], D[16][8];
  for (int l = 0; l < 32; l++) { const MmaA& x = *(const MmaA*)args[l]; int g = l >> 2, t = (l & 3) * 2;
    if (kind == 0) {
      for (int i = 0; i < 4; i++) { int r = g + (i & 1) * 8, k = t + (i >> 1) * 8; A[r][k] = bf((uint16_t)x.a[i]); A[r][k + 1] = bf(x.a[i] >> 16); }
      for (int i = 0; i < 2; i++) { B[t + i * 8][g] = bf((uint16_t)x.b[i]); B[t + i * 8 + 1][g] = bf(x.b[i] >> 16); }
    } else {
      for (int i = 0; i < 4; i++) { int r = g + (i & 1) * 8, k = t + (i >> 1) * 8; A[r][k] = hf((uint16_t)x.a[i]); A[r][k + 1] = hf(x.a[i] >> 16); }
      for (int i = 0; i < 2; i++) { B[t + i * 8][g] = hf((uint16_t)x.b[i]); B[t + i * 8 + 1][g] = hf(x.b[i] >> 16); }
    }
    D[g][t] = x.c[0]; D[g][t + 1] = x.c[1]; D[g + 8][t] = x.c[2]; D[g + 8][t + 1] = x.c[3]; }
  for (int r = 0; r < 16; r++) { v8 acc = *(v8*)D[r]; for (int k = 0; k < 16; k++) acc += A[r][k] * *(v8*)B[k]; *(v8*)D[r] = acc; }
  for (int l = 0; l < 32; l++) { const MmaA& x = *(const MmaA*)args[l]; int g = l >> 2, t = (l & 3) * 2; x.d[0] = D[g][t]; x.d[1] = D[g][t + 1]; x.d[2] = D[g + 8][t]; x.d[3] = D[g + 8][t + 1]; }
}
static float tf(uint32_t u) { u &= 0xffffe000u; float f; memcpy(&f, &u, 4); return f; }
static void mma_tf32(void* const* args) {
  float A[16][8], B[8][8], D[16][8];
  for (int l = 0; l < 32; l++) { const MmaA& x = *(const MmaA*)args[l]; int g = l >> 2, t = l & 3;
    A[g][t] = tf(x.a[0]); A[g + 8][t] = tf(x.a[1]); A[g][t + 4] = tf(x.a[2]); A[g + 8][t + 4] = tf(x.a[3]); B[t][g] = tf(x.b[0]); B[t + 4][g] = tf(x.b[1]);
    D[g][2 * t] = x.c[0]; D[g][2 * t + 1] = x.c[1]; D[g + 8][2 * t] = x.c[2]; D[g + 8][2 * t + 1] = x.c[3]; }
  for (int r = 0; r < 16; r++) for (int k = 0; k < 8; k++) for (int c = 0; c < 8; c++) D[r][c] += A[r][k] * B[k][c];
  for (int l = 0; l < 32; l++) { const MmaA& x = *(const MmaA*)args[l]; int g = l >> 2, t = l & 3; x.d[0] = D[g][2 * t]; x.d[1] = D[g][2 * t + 1]; x.d[2] = D[g + 8][2 * t]; x.d[3] = D[g + 8][2 * t + 1]; }
}
void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, MatrixKind kind, const char* file, int line) {
  uint32_t b[2] = {b0, b1}; MmaA x{d, a, b, d, (int)kind}; collect(0xffffffffu, [](Block& bl, Coll& c) { bl.st.mma++; int k = ((MmaA*)c.args[0])->kind; bl.st.mma_kind[k]++; if (k == 2) mma_tf32(c.args); else mma_exec(c.args, k); }, &x, "mma.sync", file, line);
}
float exp2Fast(float x) { if (!(x > -126.f)) return x != x ? x : 0.f; if (x > 127.9f) return INFINITY; return exp2f(x); }
uint32_t roundToTf32(float f) { uint32_t u; memcpy(&u, &f, 4); if ((u & 0x7f800000u) != 0x7f800000u) u = (u + 0x1000u) & 0xffffe000u; return u; }
void misaligned(const void* p, size_t n) { char t[96]; snprintf(t, sizeof t, "%zu bytes at %p, %s", n, p, who(self).c_str()); report("misaligned access", self->blk->name, 0, t); }

// ---- grid ----------------------------------------------------------------------------------------------------------------
static void fiber_exit() { Fiber* f = self; Block& b = *f->blk; f->done = true; b.alive--; f->warp->alive &= ~(1u << f->lane);
  Ext& e = *(Ext*)f->ext; if (e.cp.size() > e.head && e.gh < e.cpg.size()) report("thread exits with cp.async in flight", nullptr, 0, who(f));
  Bar& r = b.bar[0]; if (r.file && r.expected == 0 && b.alive && r.arrived >= b.alive) { report("threads exited before __syncthreads", r.file, r.line, who(f)); bar_done(b, r); }
  Fiber* nx = b.pop(); void* dummy; b.st.switches++; self = nx; simt_switch(&dummy, nx ? nx->sp : b.sched); __builtin_unreachable(); }
static void fiber_main() { Block& b = *self->blk; b.fn(b.arg); fiber_exit(); }

static void run_block(Block& b, size_t smem) {
  int n = b.nthreads; b.alive = n; b.dead = false; b.wready = 0; b.cw = 0; b.nwarps = (n + 31) / 32; b.dyn_off = kBase; b.smem_end = kBase + smem; b.statics.clear(); b.nvc = kMaxThreads + kMaxAgents;
  for (auto& r : b.bar) { r.in.clear(); r.wait.clear(); r.arrived = 0; r.file = nullptr; }
  VC* z = nullptr; if (b.check) { z = b.vzero(); memset(b.cell, 0, sizeof(Cell) * (b.smem_end + 1) / 2); memset(b.arena + kBase, 0xff, smem); }
  for (int w = 0; w < b.nwarps; w++) { Warp& q = b.warp[w]; int k = n - w * 32; q.alive = k >= 32 ? ~0u : (1u << k) - 1; q.npend = 0; q.ready = 0; q.f = b.fib + w * 32; }
  for (int i = 0; i < n; i++) { Fiber& f = b.fib[i]; f.tid = {i % b.bdim.x, i / b.bdim.x % b.bdim.y, i / (b.bdim.x * b.bdim.y)}; f.lin = i; f.lane = i & 31; f.blk = &b; f.warp = &b.warp[i >> 5]; f.done = false; f.wwhat = "start"; f.wfile = ""; f.wline = 0;
    f.clk = 1; f.fence_clk = 0; if (z) { f.base = z; z->ref++; } f.ext = &b.ext[i]; b.ext[i].reset(); f.stk_lo = b.stacks + i * kStack; f.stk_hi = f.stk_lo + kStack;
    uintptr_t top = (uintptr_t)f.stk_hi - 64 - (i * 5 % 61) * 64; top &= ~15ul;           // stagger tops: equal page offsets would thrash the L1 sets
    void** s = (void**)(top - 8); *--s = (void*)fiber_main; for (int k = 0; k < 6; k++) *--s = nullptr; f.sp = s; b.push(&f); }
  b.st.threads += n; b.st.blocks++;
  for (;;) { Fiber* f = b.pop(); if (f) { self = f; b.st.switches++; simt_switch(&b.sched, f->sp); self = nullptr; continue; } if (!b.alive) break;
    std::string m; char t[256]; std::vector<std::pair<Fiber*, int>> gr;                    // group stuck threads by what they wait for
    for (int i = 0; i < n; i++) { Fiber& q = b.fib[i]; if (q.done) continue; bool hit = false; for (auto& g : gr) if (g.first->wline == q.wline && !strcmp(g.first->wwhat, q.wwhat)) { g.second++; hit = true; break; } if (!hit) gr.push_back({&q, 1}); }
    for (auto& g : gr) { snprintf(t, sizeof t, " [%d x %s line %d, first thread %u]", g.second, g.first->wwhat, g.first->wline, g.first->lin); m += t; }
    snprintf(t, sizeof t, "%s block %u,%u,%u: %d threads stuck:", b.name, b.bid.x, b.bid.y, b.bid.z, b.alive); report("deadlock", b.name, 0, t + m); break; }
  if (b.prof) for (int w = 0; w < b.nwarps; w++) flush_log(b, b.warp[w]);
  if (z) { for (int i = 0; i < n; i++) b.vput(b.fib[i].base); b.vput(z); }
}
static std::vector<Block*> g_workers;
static std::map<std::string, KernelCounters> g_kernels;   // guarded by g_mu
void countKernels(bool on) { std::lock_guard<std::mutex> l(g_mu); g_cfg.profile = on; if (on) g_kernels.clear(); }
std::vector<KernelCounters> kernelCounters() { std::lock_guard<std::mutex> l(g_mu); std::vector<KernelCounters> all; for (auto& [name, each] : g_kernels) all.push_back(each); return all; }
static void countLaunch(const Stats& st, KernelCounters& c) {
  c.blocks += st.blocks; c.threads += st.threads; c.globalSectors += st.g_sectors; c.globalBytes += st.g_bytes; c.sharedWavefronts += st.s_wave;
  c.idealSharedWavefronts += st.s_ideal; c.bfloat16Products += st.mma_kind[0]; c.float16Products += st.mma_kind[1]; c.tf32Products += st.mma_kind[2]; c.barriers += st.barriers; }
void run_grid(dim3 grid, dim3 block, size_t smem, void (*fn)(void*), void* arg, const char* name) {
  ginit(); uint64_t total = (uint64_t)grid.x * grid.y * grid.z; std::atomic<uint64_t> next{0}; int nw = g_cfg.workers; if ((uint64_t)nw > total) nw = (int)total;
  if (block.x * block.y * block.z > kMaxThreads || smem > (227 << 10)) { report("invalid launch configuration", name, 0, ""); return; }
  while ((int)g_workers.size() < nw) g_workers.push_back(new Block);
  auto work = [&](int w) { Block& b = *g_workers[w]; b.st = Stats{}; b.fn = fn; b.arg = arg; b.name = name; b.check = g_cfg.mode == Mode::check; b.prof = b.check && g_cfg.profile; b.bdim = {block.x, block.y, block.z}; b.gdim = {grid.x, grid.y, grid.z}; b.nthreads = block.x * block.y * block.z;
    for (uint64_t i; (i = next++) < total;) { b.bid = {(unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y)}; run_block(b, smem); }
    std::lock_guard<std::mutex> l(g_mu); if (b.prof) countLaunch(b.st, g_kernels[name]); auto* d = (uint64_t*)&g_stats; auto* s = (uint64_t*)&b.st; for (size_t k = 0; k < sizeof(Stats) / 8; k++) d[k] += s[k]; };
  if (g_cfg.profile) { std::lock_guard<std::mutex> l(g_mu); KernelCounters& c = g_kernels[name]; c.kernel = name; c.launches++; if ((int64_t)smem > c.sharedBytes) c.sharedBytes = smem; }
  std::vector<std::thread> th; for (int w = 1; w < nw; w++) th.emplace_back(work, w); work(0); for (auto& t : th) t.join();
}
} // namespace simt

struct SimtStream {};
const char* cudaGetErrorString(cudaError_t e) { return e == cudaSuccess ? "no error" : e == cudaErrorMemoryAllocation ? "out of memory" : e == cudaErrorLaunchFailure ? simt::last_error() : "invalid value"; }
cudaError_t cudaMalloc(void** p, size_t n) { *p = simt::dev_alloc(n); return cudaSuccess; }
cudaError_t cudaFree(void* p) { simt::dev_free(p); return cudaSuccess; }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind, cudaStream_t) { memmove(to, from, n); return cudaSuccess; }
cudaError_t cudaMemsetAsync(void* to, int v, size_t n, cudaStream_t) { memset(to, v, n); return cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) { *s = new SimtStream; return cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t s) { delete s; return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return simt::error_count() ? cudaErrorLaunchFailure : cudaSuccess; }

// ---- compiler hooks: kernels built with -fsanitize=thread call these for every load/store; no TSan runtime is linked ----
#define PC __builtin_return_address(0)
extern "C" {
void __tsan_init() {} void __tsan_func_entry(void*) {} void __tsan_func_exit() {}
#define RW(n) void __tsan_read##n(void* p) { simt::access(p, n, false, PC); } void __tsan_write##n(void* p) { simt::access(p, n, true, PC); } \
  void __tsan_unaligned_read##n(void* p) { simt::access(p, n, false, PC); } void __tsan_unaligned_write##n(void* p) { simt::access(p, n, true, PC); } \
  void __tsan_read##n##_pc(void* p, void* c) { simt::access(p, n, false, c); } void __tsan_write##n##_pc(void* p, void* c) { simt::access(p, n, true, c); }
RW(1) RW(2) RW(4) RW(8) RW(16)
void __tsan_read_range(void* p, unsigned long n) { simt::access(p, n, false, PC); } void __tsan_write_range(void* p, unsigned long n) { simt::access(p, n, true, PC); }
void __tsan_vptr_update(void**, void*) {} void __tsan_vptr_read(void**) {}
void* __tsan_memcpy(void* d, const void* s, unsigned long n) { simt::access((void*)s, n, false, PC); simt::access(d, n, true, PC); return memcpy(d, s, n); }
void* __tsan_memset(void* d, int c, unsigned long n) { simt::access(d, n, true, PC); return memset(d, c, n); }
unsigned __tsan_atomic32_fetch_add(volatile unsigned* p, unsigned v, int) { return __atomic_fetch_add(p, v, 0); }
unsigned __tsan_atomic32_load(const volatile unsigned* p, int) { return __atomic_load_n(p, 0); }
int __tsan_atomic32_compare_exchange_strong(volatile unsigned* p, unsigned* e, unsigned v, int, int) { return __atomic_compare_exchange_n(p, e, v, false, 0, 0); }
int __tsan_atomic32_compare_exchange_weak(volatile unsigned* p, unsigned* e, unsigned v, int, int) { return __atomic_compare_exchange_n(p, e, v, false, 0, 0); }
unsigned long __tsan_atomic64_fetch_add(volatile unsigned long* p, unsigned long v, int) { return __atomic_fetch_add(p, v, 0); }
unsigned long __tsan_atomic64_load(const volatile unsigned long* p, int) { return __atomic_load_n(p, 0); }
int __tsan_atomic64_compare_exchange_strong(volatile unsigned long* p, unsigned long* e, unsigned long v, int, int) { return __atomic_compare_exchange_n(p, e, v, false, 0, 0); }
int __tsan_atomic64_compare_exchange_weak(volatile unsigned long* p, unsigned long* e, unsigned long v, int, int) { return __atomic_compare_exchange_n(p, e, v, false, 0, 0); }
unsigned __tsan_atomic32_exchange(volatile unsigned* p, unsigned v, int) { return __atomic_exchange_n(p, v, 0); }
unsigned long __tsan_atomic64_exchange(volatile unsigned long* p, unsigned long v, int) { return __atomic_exchange_n(p, v, 0); }
void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
}
