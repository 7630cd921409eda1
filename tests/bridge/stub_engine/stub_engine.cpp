// An engine without torch, for tests of the core alone.
//
// Element e (counted from 0) of result number r in column i is
//
//   mean of all elements of all arguments in column i  +  r  +  e / 1024
//
// summed in double precision in the order of the arguments. Fields with certain names make it
// misbehave as engines do:
//
//   fail_open, fail_prepare, fail_run   that function fails with a message
//   fail_silently                       run fails and writes no message
//   endless_open, endless_prepare, endless_run   that function fails with a message without end
//   result_nan                          this result is NaN
//   result_infinite                     this result is infinite
//   change_rounding                     run leaves the floating-point environment changed
#include <cfenv>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "hybrid_engine.h"

namespace {

struct Field {
  std::string name;
  int kind;
};

struct Model {
  std::vector<Field> arguments, results;

  bool has(const char *name) const {
    for (const auto *fields : {&arguments, &results})
      for (const auto &field : *fields)
        if (field.name == name) return true;
    return false;
  }
};

struct Session {
  const Model *model;
  int64_t n;
  std::vector<const void *> addresses;
  std::vector<int64_t> sizes;  // elements a column of each argument, then of each result
};

int fail(char *message, size_t size, const char *what) {
  std::snprintf(message, size, "stub: %s", what);
  return 1;
}

// Fills the message to its last byte and does not end it.
int fail_endlessly(char *message, size_t size) {
  std::memset(message, 'e', size);
  return 1;
}

std::vector<Field> fields_of(const hybrid_engine_field *fields, int n) {
  std::vector<Field> found;
  for (int i = 0; i < n; ++i) found.push_back({fields[i].name, fields[i].kind});
  return found;
}

double value_at(const void *values, int kind, int64_t index) {
  if (kind == 8) return static_cast<const double *>(values)[index];
  return static_cast<double>(static_cast<const float *>(values)[index]);
}

void set_value(void *values, int kind, int64_t index, double value) {
  if (kind == 8)
    static_cast<double *>(values)[index] = value;
  else
    static_cast<float *>(values)[index] = static_cast<float>(value);
}

double mean_of_column(const Session &session, int64_t column) {
  double sum = 0.0;
  int64_t count = 0;
  for (size_t i = 0; i < session.addresses.size(); ++i) {
    const int64_t size = session.sizes[i];
    for (int64_t element = 0; element < size; ++element)
      sum +=
          value_at(session.addresses[i], session.model->arguments[i].kind, column * size + element);
    count += size;
  }
  return sum / static_cast<double>(count);
}

void write_result(const Session &session, size_t number, int64_t column, double mean, void *rows) {
  const auto &field = session.model->results[number];
  const int64_t size = session.sizes[session.addresses.size() + number];
  for (int64_t element = 0; element < size; ++element) {
    double value = mean + static_cast<double>(number) + static_cast<double>(element) / 1024.0;
    if (field.name == "result_nan") value = std::numeric_limits<double>::quiet_NaN();
    if (field.name == "result_infinite") value = std::numeric_limits<double>::infinity();
    set_value(rows, field.kind, column * size + element, value);
  }
}

int open(const hybrid_engine_archive *archive, const hybrid_engine_field *arguments, int n_argument,
         const hybrid_engine_field *results, int n_result, const hybrid_engine_options *options,
         void **model, char *message, size_t size) {
  if (archive->n_bytes < 4 || std::memcmp(archive->bytes, "PK", 2) != 0)
    return fail(message, size, "expected the bytes of an archive");
  if (std::strcmp(options->device, "cpu") != 0) return fail(message, size, "expected device cpu");
  auto opened = std::make_unique<Model>();
  opened->arguments = fields_of(arguments, n_argument);
  opened->results = fields_of(results, n_result);
  if (opened->has("fail_open")) return fail(message, size, "asked to fail in open");
  if (opened->has("endless_open")) return fail_endlessly(message, size);
  *model = opened.release();
  return 0;
}

int prepare(void *model, int64_t n, const int64_t *const *shapes, const void *const *arguments,
            void **session, char *message, size_t size) {
  const auto *opened = static_cast<const Model *>(model);
  if (opened->has("fail_prepare")) return fail(message, size, "asked to fail in prepare");
  if (opened->has("endless_prepare")) return fail_endlessly(message, size);
  const size_t n_argument = opened->arguments.size();
  auto prepared = std::make_unique<Session>();
  prepared->model = opened;
  prepared->n = n;
  prepared->addresses.assign(arguments, arguments + n_argument);
  for (size_t i = 0; i < n_argument + opened->results.size(); ++i) {
    int64_t elements = 1;
    for (const int64_t *extent = shapes[i]; *extent != -1; ++extent) elements *= *extent;
    prepared->sizes.push_back(elements);
  }
  *session = prepared.release();
  return 0;
}

int run(void *session, void *const *results, char *message, size_t size) {
  const auto *prepared = static_cast<const Session *>(session);
  if (prepared->model->has("fail_run")) return fail(message, size, "asked to fail in run");
  if (prepared->model->has("fail_silently")) return 1;
  if (prepared->model->has("endless_run")) return fail_endlessly(message, size);
  for (int64_t column = 0; column < prepared->n; ++column) {
    const double mean = mean_of_column(*prepared, column);
    for (size_t i = 0; i < prepared->model->results.size(); ++i)
      write_result(*prepared, i, column, mean, results[i]);
  }
  if (prepared->model->has("change_rounding")) std::fesetround(FE_UPWARD);
  return 0;
}

void release(void *session) { delete static_cast<Session *>(session); }

void close(void *model) { delete static_cast<Model *>(model); }

int device_count(const char *kind) { return std::strcmp(kind, "stub") == 0 ? 2 : 0; }

const hybrid_engine engine = {HYBRID_ENGINE_ABI_VERSION,
                              "stub",
                              "1.0",
                              /*is_column_exact=*/0,
                              open,
                              prepare,
                              run,
                              release,
                              close,
                              device_count,
                              /*precision=*/nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) const hybrid_engine *hybrid_engine_v4(void) {
  return &engine;
}
