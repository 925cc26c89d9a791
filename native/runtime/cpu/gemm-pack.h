#pragma once
// Operands of matrix products in the order in which the innermost loop reads them. Kernels only.
#include <algorithm>

#include "runtime/cpu/gemm-micro.h"
#include "runtime/cpu/gemm.h"
#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {
namespace {

// A block of an operand, seen alike for both: `lines` are rows of a or columns of b, and each runs along k.
struct Slab {
  Matrix matrix;
  bool alongK;  // whether a line is contiguous in memory
  int64_t firstLine;
  int64_t lines;  // from the first to the end of the matrix; a panel takes no more than its width
  int64_t firstK;
  int64_t depth;  // elements along k
  int64_t words;  // of a panel along k: those of depth, then zeros, fewer than kLanes

  Slab fromPanel(int64_t panel, int64_t width) const {
    Slab rest = *this;
    rest.firstLine += panel * width;
    rest.lines -= panel * width;
    return rest;
  }
};

// What is packed at a time: words of panels that follow each other.
struct PackedPart {
  int64_t firstPanel, endPanel;
  int64_t firstWord, endWord;
};

// Brings the lines of the panel that comes next into the second cache while one is packed. A processor does
// not see so many rows coming, each of them read for a moment: it packs a weight of 65 MB from memory in two
// fifths of the time.
class NextPanel {
 public:
  template <typename E>
  static NextPanel of(const Slab& slab, int64_t width) {
    NextPanel next;
    if (slab.lines <= 0) return next;
    next.row_ = static_cast<const char*>(slab.matrix.data) +
                (slab.firstLine * slab.matrix.stride + slab.firstK) * int64_t{sizeof(E)};
    next.stride_ = slab.matrix.stride * int64_t{sizeof(E)};
    next.rowBytes_ = slab.depth * int64_t{sizeof(E)};
    next.rows_ = std::min(slab.lines, width);
    return next;
  }

  void fetch(int64_t lines) {
    for (; lines > 0 && rows_ > 0; lines--) {
      __builtin_prefetch(row_ + at_, 0, 2);
      at_ += kLineBytes;
      if (at_ < rowBytes_) continue;
      at_ = 0;
      row_ += stride_;
      rows_--;
    }
  }

 private:
  const char* row_ = nullptr;
  int64_t stride_ = 0, rowBytes_ = 0, rows_ = 0;
  int64_t at_ = 0;
};

// One element of k to a word, as float32.
template <typename E>
struct Singles {
  using Element = E;
  static constexpr int kElements = 1;

  static Vec loadLine(const E* from) { return load(from); }
  static Vec loadLineEnd(const E* from, int64_t elements) { return loadPartial(from, elements); }
  static Vec loadAcross(const E* from, int64_t, bool) { return load(from); }
  static Vec loadAcrossEnd(const E* from, int64_t, bool, int64_t lines) { return loadPartial(from, lines); }
};

// Two elements of k to a word, the first in the lower half; after an odd end comes 0.
struct Pairs {
  using Element = BFloat16;
  static constexpr int kElements = 2;

  static Vec loadLine(const BFloat16* from) {
    Vec vec;
    std::memcpy(&vec, from, sizeof vec);
    return vec;
  }
  static Vec loadLineEnd(const BFloat16* from, int64_t elements) {
    Vec vec{};
    std::memcpy(&vec, from, static_cast<size_t>(elements) * sizeof(BFloat16));
    return vec;
  }
  static Vec loadAcross(const BFloat16* from, int64_t stride, bool isWhole) {
    return loadAcrossEnd(from, stride, isWhole, kLanes);
  }
  static Vec loadAcrossEnd(const BFloat16* from, int64_t stride, bool isWhole, int64_t lines) {
    HalfVec first{};
    HalfVec second{};
    std::memcpy(&first, from, static_cast<size_t>(lines) * sizeof(BFloat16));
    if (isWhole) std::memcpy(&second, from + stride, static_cast<size_t>(lines) * sizeof(BFloat16));
    const BitsVec low = __builtin_convertvector(first, BitsVec);
    const BitsVec high = __builtin_convertvector(second, BitsVec);
    return std::bit_cast<Vec>(low | high << 16);
  }
};

// Lanes of a and b in alternation: their lower halves, or their upper ones.
template <int firstLane>
inline Vec zip(Vec a, Vec b) {
  IntVec lanes;
  for (int lane = 0; lane < kLanes; lane++) lanes[lane] = firstLane + lane / 2 + (lane % 2) * kLanes;
  return __builtin_shuffle(a, b, lanes);
}

// Zipping rows of the first half with those of the second, log2(kLanes) times, transposes.
inline void transpose(Vec (&rows)[kLanes]) {
#pragma GCC unroll 4
  for (int step = 1; step < kLanes; step *= 2) {
    Vec zipped[kLanes];
#pragma GCC unroll 8
    for (int row = 0; row < kLanes / 2; row++) {
      zipped[2 * row] = zip<0>(rows[row], rows[row + kLanes / 2]);
      zipped[2 * row + 1] = zip<kLanes / 2>(rows[row], rows[row + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int row = 0; row < kLanes; row++) rows[row] = zipped[row];
  }
}

// Stores the lanes of a word from `line` on. A store may reach over the end of the word into the next one,
// which is written later; the last word must not, since what follows is written by others.
inline void storeWord(float* panel, int64_t width, int64_t endWord, int64_t word, int64_t line, Vec lanes) {
  float* to = panel + word * width + line;
  if (line + kLanes <= width || word + 1 < endWord)
    store(to, lanes);
  else
    storePartial(to, lanes, width - line);
}

template <typename Form, int width>
void packAlongK(const Slab& slab, NextPanel next, float* panel) {
  using E = typename Form::Element;
  const auto* data = static_cast<const E*>(slab.matrix.data);
  const E* from = data + slab.firstLine * slab.matrix.stride + slab.firstK;
  const int64_t words = slab.words;
  constexpr int64_t lastLine = (width - 1) / kLanes * kLanes;
  // So many lines of memory as a step reads of its own panel, or more.
  constexpr int64_t linesOfStep = evenPart(width, kLanes);
  for (int64_t word = 0; word < words; word += kLanes) {
    const int64_t elements = slab.depth - word * Form::kElements;
    // From the last lines down: what a store writes beyond its word is then written again.
    for (int64_t line = lastLine; line >= 0; line -= kLanes) {
      Vec rows[kLanes];
      for (int row = 0; row < kLanes; row++) {
        const E* start = from + (line + row) * slab.matrix.stride + word * Form::kElements;
        if (line + row >= std::min<int64_t>(slab.lines, width))
          rows[row] = Vec{};
        else if (elements >= kLanes * Form::kElements)
          rows[row] = Form::loadLine(start);
        else
          rows[row] = Form::loadLineEnd(start, elements);
      }
      next.fetch(linesOfStep);
      transpose(rows);
      for (int row = 0; row < kLanes && word + row < words; row++)
        storeWord(panel, width, words, word + row, line, rows[row]);
    }
  }
}

// Word after word through all the panels, so that memory is read in its order.
template <typename Form, int width>
void packAcross(const Slab& slab, const PackedPart& part, float* panels) {
  using E = typename Form::Element;
  const int64_t stride = slab.matrix.stride;
  const auto* data = static_cast<const E*>(slab.matrix.data);
  const E* from = data + slab.firstK * stride + slab.firstLine;
  constexpr int64_t lastLine = (width - 1) / kLanes * kLanes;
  for (int64_t word = part.firstWord; word < part.endWord; word++) {
    const E* start = from + word * Form::kElements * stride;
    const int64_t elements = slab.depth - word * Form::kElements;
    const bool isWhole = elements >= Form::kElements;
    for (int64_t panel = part.firstPanel; panel < part.endPanel; panel++) {
      float* to = panels + panel * width * slab.words;
      for (int64_t line = lastLine; line >= 0; line -= kLanes) {
        const int64_t column = panel * width + line;
        Vec lanes{};
        if (elements > 0 && column + kLanes <= slab.lines)
          lanes = Form::loadAcross(start + column, stride, isWhole);
        else if (elements > 0 && column < slab.lines)
          lanes = Form::loadAcrossEnd(start + column, stride, isWhole, slab.lines - column);
        storeWord(to, width, part.endWord, word, line, lanes);
      }
    }
  }
}

// Where lines run along k, a part has all words of its panels.
template <typename Form, int width>
void packPanels(const Slab& slab, const PackedPart& part, float* panels) {
  if (!slab.alongK) return packAcross<Form, width>(slab, part, panels);
  for (int64_t panel = part.firstPanel; panel < part.endPanel; panel++)
    packAlongK<Form, width>(slab.fromPanel(panel, width),
                            NextPanel::of<typename Form::Element>(slab.fromPanel(panel + 1, width), width),
                            panels + panel * width * slab.words);
}

// Panels of a for tiles: [words / kLanes, width, kLanes], where a vector is a row of a tile.
template <int width>
void packTileRowsAlongK(const Slab& slab, float* panel) {
  const int64_t stride = slab.matrix.stride;
  const BFloat16* from =
      static_cast<const BFloat16*>(slab.matrix.data) + slab.firstLine * stride + slab.firstK;
  for (int64_t line = 0; line < width; line++)
    for (int64_t word = 0; word < slab.words; word += kLanes) {
      const BFloat16* start = from + line * stride + word * Pairs::kElements;
      const int64_t elements = slab.depth - word * Pairs::kElements;
      Vec row{};
      if (line < slab.lines)
        row = elements >= kLanes * Pairs::kElements ? Pairs::loadLine(start)
                                                    : Pairs::loadLineEnd(start, elements);
      store(panel + word * width + line * kLanes, row);
    }
}

template <int width>
void packTileRowsAcross(const Slab& slab, float* panel) {
  const int64_t stride = slab.matrix.stride;
  const BFloat16* from =
      static_cast<const BFloat16*>(slab.matrix.data) + slab.firstK * stride + slab.firstLine;
  for (int64_t word = 0; word < slab.words; word += kLanes)
    for (int64_t line = 0; line < width; line += kLanes) {
      const int64_t lines = std::min<int64_t>(kLanes, slab.lines - line);
      Vec rows[kLanes];
      for (int row = 0; row < kLanes; row++) {
        const int64_t k = (word + row) * Pairs::kElements;
        const BFloat16* start = from + k * stride + line;
        const bool isWhole = k + 1 < slab.depth;
        if (lines <= 0 || k >= slab.depth)
          rows[row] = Vec{};
        else if (lines == kLanes)
          rows[row] = Pairs::loadAcross(start, stride, isWhole);
        else
          rows[row] = Pairs::loadAcrossEnd(start, stride, isWhole, lines);
      }
      transpose(rows);
      for (int row = 0; row < kLanes; row++) store(panel + word * width + (line + row) * kLanes, rows[row]);
    }
}

template <int width>
void packTileRows(const Slab& slab, const PackedPart& part, float* panels) {
  for (int64_t index = part.firstPanel; index < part.endPanel; index++) {
    const Slab rest = slab.fromPanel(index, width);
    float* panel = panels + index * width * slab.words;
    if (slab.alongK)
      packTileRowsAlongK<width>(rest, panel);
    else
      packTileRowsAcross<width>(rest, panel);
  }
}

}  // namespace
}  // namespace crossmap::cpu
