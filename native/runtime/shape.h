#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace crossmap {

// Sizes of the axes of a tensor, slowest first. Rank 0 is a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : sizes_(sizes) {}
  explicit Shape(std::vector<int64_t> sizes) : sizes_(std::move(sizes)) {}

  int rank() const { return static_cast<int>(sizes_.size()); }
  int64_t operator[](int axis) const { return sizes_[static_cast<size_t>(axis)]; }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  bool operator==(const Shape&) const = default;

  // Throws ERR_SHAPE for a negative size and where the product exceeds 2^53.
  int64_t elements() const;

  // `[2, 3]`, and `[]` for a scalar.
  std::string text() const;

 private:
  std::vector<int64_t> sizes_;
};

}  // namespace crossmap
