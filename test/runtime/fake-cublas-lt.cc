// Stands in for cuBLASLt: keeps to its documented interface, refuses what it does not know, and multiplies on the
// processor in float64. Column-major, as the library is. Written from NVIDIA's documentation, not from our calls.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/dtype.h"

namespace {

enum { kSuccess = 0, kInvalidValue = 7, kNotSupported = 15 };
enum { kFloat32 = 0, kFloat16 = 2, kBFloat16 = 14 };

struct Product {
  int computeType, scaleType;
  int32_t transposeA = 0, transposeB = 0;
};
struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t leading;
};
struct Preference {
  uint64_t workspaceBytes = 0;
  uint32_t schemes = 7, alignments[4] = {256, 256, 256, 256};
};
struct Algorithm {
  uint64_t data[8];
};
struct Heuristic {
  Algorithm algorithm;
  size_t workspaceBytes;
  int state;
  float waves;
  int reserved[4];
};

// Marks an algorithm that this library has chosen.
constexpr uint64_t kMark = 0x1234567890abcdef;
constexpr size_t kWorkspace = 4096;

double read(const void* memory, int type, int64_t index) {
  switch (type) {
    case kFloat32:
      return static_cast<const float*>(memory)[index];
    case kFloat16:
      return toFloat(static_cast<const crossmap::Float16*>(memory)[index]);
    default:
      return toFloat(static_cast<const crossmap::BFloat16*>(memory)[index]);
  }
}

void write(void* memory, int type, int64_t index, float value) {
  switch (type) {
    case kFloat32:
      static_cast<float*>(memory)[index] = value;
      return;
    case kFloat16:
      static_cast<crossmap::Float16*>(memory)[index] = crossmap::fromFloat<crossmap::Float16>(value);
      return;
    default:
      static_cast<crossmap::BFloat16*>(memory)[index] = crossmap::fromFloat<crossmap::BFloat16>(value);
  }
}

bool isAligned(const void* pointer, uint64_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
}

int handle, living;

}  // namespace

extern "C" {

// Objects that were made and not destroyed.
int fakeCublasLtLiving() { return living; }

int cublasLtCreate(void** made) {
  *made = &handle;
  living++;
  return kSuccess;
}
int cublasLtDestroy(void* gone) {
  living--;
  return gone == &handle ? kSuccess : kInvalidValue;
}
size_t cublasLtGetVersion() { return 130002; }

int cublasLtMatmulDescCreate(void** made, int computeType, int scaleType) {
  if (computeType != 68 || scaleType != kFloat32) return kNotSupported;
  *made = new Product{computeType, scaleType};
  living++;
  return kSuccess;
}
int cublasLtMatmulDescDestroy(void* gone) {
  delete static_cast<Product*>(gone);
  living--;
  return kSuccess;
}
int cublasLtMatmulDescSetAttribute(void* product, int attribute, const void* value, size_t bytes) {
  if (bytes != sizeof(int32_t) || (attribute != 3 && attribute != 4)) return kInvalidValue;
  auto* to = static_cast<Product*>(product);
  std::memcpy(attribute == 3 ? &to->transposeA : &to->transposeB, value, bytes);
  return kSuccess;
}

int cublasLtMatrixLayoutCreate(void** made, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  if (leading < static_cast<int64_t>(rows)) return kInvalidValue;
  *made = new Layout{type, rows, columns, leading};
  living++;
  return kSuccess;
}
int cublasLtMatrixLayoutDestroy(void* gone) {
  delete static_cast<Layout*>(gone);
  living--;
  return kSuccess;
}

int cublasLtMatmulPreferenceCreate(void** made) {
  *made = new Preference;
  living++;
  return kSuccess;
}
int cublasLtMatmulPreferenceDestroy(void* gone) {
  delete static_cast<Preference*>(gone);
  living--;
  return kSuccess;
}
int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t bytes) {
  auto* to = static_cast<Preference*>(preference);
  const auto set = [&](auto& member) {
    if (bytes != sizeof member) return int{kInvalidValue};
    std::memcpy(&member, value, bytes);
    return int{kSuccess};
  };
  if (attribute == 1) return set(to->workspaceBytes);
  if (attribute == 3) return set(to->schemes);
  if (attribute >= 5 && attribute <= 8) return set(to->alignments[attribute - 5]);
  return kInvalidValue;
}

int cublasLtMatmulAlgoGetHeuristic(void* from, void* product, void* a, void* b, void* c, void* d, void* preference,
                                   int wanted, Heuristic* results, int* found) {
  const auto* asked = static_cast<Product*>(product);
  const auto *la = static_cast<Layout*>(a), *lb = static_cast<Layout*>(b), *lc = static_cast<Layout*>(c);
  const uint64_t rows = asked->transposeA ? la->columns : la->rows;
  const uint64_t depth = asked->transposeA ? la->rows : la->columns;
  const uint64_t depthB = asked->transposeB ? lb->columns : lb->rows;
  const uint64_t columns = asked->transposeB ? lb->rows : lb->columns;
  if (from != &handle || c != d || wanted < 1 || depth != depthB || lc->rows != rows || lc->columns != columns ||
      la->type != lb->type)
    return kInvalidValue;
  *found = 0;
  if (std::getenv("FAKE_NO_ALGORITHM")) return kNotSupported;
  const Preference promised = *static_cast<Preference*>(preference);
  // Both would round parts of sums to the type of c, or add them without an order.
  if (promised.schemes & 5) return kNotSupported;
  if (promised.workspaceBytes < kWorkspace) return kNotSupported;
  const auto& [alignA, alignB, alignC, alignD] = promised.alignments;
  *results = {{{kMark, alignA, alignB, alignC, alignD}}, kWorkspace, kSuccess, 1, {}};
  *found = 1;
  return kSuccess;
}

int cublasLtMatmul(void* from, void* product, const void* alpha, const void* a, void* aLayout, const void* b,
                   void* bLayout, const void* beta, const void*, void*, void* d, void* dLayout,
                   const Algorithm* algorithm, void* workspace, size_t workspaceBytes, void* stream) {
  if (from != &handle || algorithm->data[0] != kMark || !workspace || workspaceBytes != kWorkspace) return kInvalidValue;
  if (stream != reinterpret_cast<void*>(0x77)) return kInvalidValue;
  const uint64_t* promised = &algorithm->data[1];
  if (!isAligned(a, promised[0]) || !isAligned(b, promised[1]) || !isAligned(d, promised[3]))
    return kInvalidValue;
  std::memset(workspace, 0xff, workspaceBytes);
  const auto* asked = static_cast<Product*>(product);
  const auto *la = static_cast<Layout*>(aLayout), *lb = static_cast<Layout*>(bLayout),
             *ld = static_cast<Layout*>(dLayout);
  const auto depth = static_cast<int64_t>(asked->transposeA ? la->rows : la->columns);
  for (int64_t row = 0; row < static_cast<int64_t>(ld->rows); row++)
    for (int64_t column = 0; column < static_cast<int64_t>(ld->columns); column++) {
      double sum = 0;
      for (int64_t k = 0; k < depth; k++) {
        const int64_t atA = asked->transposeA ? k + row * la->leading : row + k * la->leading;
        const int64_t atB = asked->transposeB ? column + k * lb->leading : k + column * lb->leading;
        sum += read(a, la->type, atA) * read(b, lb->type, atB);
      }
      if (*static_cast<const float*>(beta) != 0) return kInvalidValue;
      write(d, ld->type, row + column * ld->leading, static_cast<float>(sum * *static_cast<const float*>(alpha)));
    }
  return kSuccess;
}
}
