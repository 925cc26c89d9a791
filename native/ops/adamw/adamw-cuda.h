#pragma once
#include "ops/adamw/adamw.h"

namespace crossmap::cuda {

class Stream;

void adamw(Stream& stream, const AdamwArguments& arguments);

}  // namespace crossmap::cuda
