// For each line "multiprocessors dtype features columns" of its input prints the rows of a panel of the
// forward pass and the side of one of the backward pass.
#include <iostream>
#include <string>

#include "ops/contrastive/contrastive-plan.h"

int main() {
  int multiprocessors = 0;
  std::string dtype;
  for (int64_t features = 0, columns = 0; std::cin >> multiprocessors >> dtype >> features >> columns;)
    std::cout << crossmap::cuda::sweepPanelRows(multiprocessors, columns) << " "
              << crossmap::cuda::pullPanelSide(
                     multiprocessors,
                     dtype == "float32" ? crossmap::DType::float32 : crossmap::DType::bfloat16, features)
              << "\n";
}
