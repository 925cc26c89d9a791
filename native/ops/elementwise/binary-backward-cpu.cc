#include <algorithm>
#include <vector>

#include "ops/elementwise/binary-expressions.h"
#include "ops/elementwise/elementwise-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

// Objects with a body to inline, not pointers to call.
template <typename Expression>
constexpr auto da = [](Vec dy, Vec a, Vec b) { return Expression::da(dy, a, b); };
template <typename Expression>
constexpr auto db = [](Vec dy, Vec a, Vec b) { return Expression::db(dy, a, b); };

// The pointers of one call; da and db are null where they are not wanted.
template <typename E>
struct Args {
  const E *dy, *a;  // [rows, features]
  E* da;            // [rows, features]
  int64_t rows, features;
};

template <typename E>
Args<E> argsOf(const Tensor& dy, const Tensor& a, const BinaryGradients& out, Layout layout) {
  return {dy.data<E>(), a.data<E>(), out.da ? out.da->data<E>() : nullptr, layout.rows, layout.features};
}

template <typename Expression, typename E>
void enqueueFull(const char* op, Args<E> args, const Tensor& b, const BinaryGradients& out) {
  enqueue(b.device(), op, [=, b = b.data<E>(), toB = out.db ? out.db->data<E>() : nullptr](Context& context) {
    context.pool.parallelFor(args.features, kGrain, [&](int64_t begin, int64_t end) {
      const auto gradient = [&](E* to, auto expression) {
        if (to) mapVectors(end - begin, expression, to + begin, args.dy + begin, args.a + begin, b + begin);
      };
      gradient(args.da, da<Expression>);
      gradient(toB, db<Expression>);
    });
  });
}

// sum[d] += db of one row, for each feature d.
template <typename Expression, typename E>
void addRow(const Args<E>& args, int64_t row, const E* b, float* sum) {
  const auto add = [](Vec sum, Vec dy, Vec a, Vec b) { return sum + Expression::db(dy, a, b); };
  mapVectors(args.features, add, sum, sum, args.dy + row * args.features, args.a + row * args.features, b);
}

// Each range of rows sums into a row of `partial`; these are then summed in order, range by range of
// features.
template <typename Expression, typename E>
void enqueueRow(const char* op, Args<E> args, const Tensor& b, const BinaryGradients& out) {
  constexpr int64_t kRanges = 64;  // bounds the scratch memory and the second sum
  const int64_t grain = std::max(rowGrain(args.features), ceilDiv(args.rows, kRanges));
  const int64_t ranges = ceilDiv(args.rows, grain);
  const Tensor scratch = empty({out.db ? ranges : 0, args.features}, DType::float32, b.device());
  enqueue(b.device(), op,
          [=, b = b.data<E>(), partial = scratch.data<float>(),
           toB = out.db ? out.db->data<float>() : nullptr](Context& context) {
            const int64_t features = args.features;
            context.pool.parallelFor(args.rows, grain, [&](int64_t begin, int64_t end) {
              float* sum = partial + begin / grain * features;
              if (toB) std::fill(sum, sum + features, 0.f);
              for (int64_t row = begin; row < end; row++) {
                const int64_t at = row * features;
                if (args.da) mapVectors(features, da<Expression>, args.da + at, args.dy + at, args.a + at, b);
                if (toB) addRow<Expression>(args, row, b, sum);
              }
            });
            if (!toB) return;
            context.pool.parallelFor(features, kGrain / kRanges, [&](int64_t begin, int64_t end) {
              std::fill(toB + begin, toB + end, 0.f);
              const auto add = [](Vec a, Vec b) { return a + b; };
              for (int64_t range = 0; range < ranges; range++)
                mapVectors(end - begin, add, toB + begin, toB + begin, partial + range * features + begin);
            });
          });
}

template <typename Expression, typename E>
void enqueueScalar(const char* op, Args<E> args, const Tensor& b, const BinaryGradients& out) {
  const int64_t ranges = ceilDiv(args.features, kGrain);
  enqueue(b.device(), op,
          [=, b = b.raw(), isFloat32 = b.dtype() == DType::float32,
           toB = out.db ? out.db->data<float>() : nullptr](Context& context) {
            const Vec vb = broadcast(scalarAt<E>(b, isFloat32));
            std::vector<double> sums(static_cast<size_t>(ranges));
            context.pool.parallelFor(args.features, kGrain, [&](int64_t begin, int64_t end) {
              const auto withScalar = [&](Vec dy, Vec a) { return Expression::da(dy, a, vb); };
              if (args.da)
                mapVectors(end - begin, withScalar, args.da + begin, args.dy + begin, args.a + begin);
              if (toB)
                sums[static_cast<size_t>(begin / kGrain)] = sumVectors(
                    end - begin, [&](Vec dy, Vec a) { return Expression::db(dy, a, vb); }, args.dy + begin,
                    args.a + begin);
            });
            double total = 0;
            for (const double each : sums) total += each;
            if (toB) *toB = static_cast<float>(total);
          });
}

}  // namespace

template <Isa isa>
void binaryBackward(Binary op, const Tensor& dy, const Tensor& a, const Tensor& b,
                    const BinaryGradients& out) {
  onFloatDType(a.dtype(), [&]<typename E>(E) {
    onExpression(op, [&]<typename Expression>(Expression) {
      const Layout layout = layoutOf(a, b);
      const Args<E> args = argsOf<E>(dy, a, out, layout);
      switch (layout.operand) {
        case Operand::full:
          return enqueueFull<Expression>(nameOf(op).data(), args, b, out);
        case Operand::row:
          return enqueueRow<Expression>(nameOf(op).data(), args, b, out);
        case Operand::scalar:
          return enqueueScalar<Expression>(nameOf(op).data(), args, b, out);
      }
    });
  });
}

template void binaryBackward<kIsa>(Binary, const Tensor&, const Tensor&, const Tensor&,
                                   const BinaryGradients&);

}  // namespace crossmap::cpu
