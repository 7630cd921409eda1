#include "engine.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>

// gcc defines __SANITIZE_ADDRESS__ or __SANITIZE_THREAD__, clang answers __has_feature.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HYBRID_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HYBRID_SANITIZER
#endif
#endif

namespace hybrid {

namespace {

constexpr std::array<const char *, 3> known_engines = {"torchscript", "aoti", "native"};

// Engines lie beside this library, or where HYBRID_ENGINE_FOLDER says.
std::string engine_folder() {
  const char *folder = std::getenv("HYBRID_ENGINE_FOLDER");
  if (folder && *folder) return folder;
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&hybrid_version), &info)) return ".";
  const std::string path = info.dli_fname;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string engine_path(const std::string &name) {
  return engine_folder() + "/libhybrid_" + name + ".so";
}

void *open_object(const std::string &path) {
#ifdef HYBRID_SANITIZER
  constexpr int deep_bind = 0;  // the sanitizer must see every call of malloc
#else
  constexpr int deep_bind = RTLD_DEEPBIND;
#endif
  // Local and deep-bound: torch exports BLAS symbols that must not meet the host's BLAS.
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | deep_bind);
}

// Makes the torch of HYBRID_TORCH_LIB the one the engine finds: the loader reuses a library that
// is already open under the same SONAME.
void preload_torch() {
  const char *folder = std::getenv("HYBRID_TORCH_LIB");
  if (!folder || !*folder) return;
  for (const char *name : {"/libc10.so", "/libtorch_cpu.so", "/libtorch.so"})
    if (!open_object(folder + std::string(name)))
      throw Error(HYBRID_ERROR_ENGINE,
                  std::string("HYBRID_TORCH_LIB: expected the lib folder of ") +
                      "a torch installation, got '" + folder + "' (" + dlerror() + ")");
}

const hybrid_engine *open_engine(const std::string &name) {
  if (std::find(known_engines.begin(), known_engines.end(), name) == known_engines.end())
    throw Error(HYBRID_ERROR_ENGINE,
                "engine: expected 'auto', 'torchscript', 'aoti' or 'native', got '" + name + "'");
  if (name != "native") preload_torch();
  const std::string path = engine_path(name);
  void *object = open_object(path);
  if (!object)
    throw Error(HYBRID_ERROR_ENGINE,
                "engine " + name + ": could not be opened (" + std::string(dlerror()) +
                    "); run 'hybrid bridge build'" +
                    (name == "native" ? ""
                                      : ", or set HYBRID_TORCH_LIB to the lib "
                                        "folder of the torch it was built with"));
  const auto entry = reinterpret_cast<hybrid_engine_entry>(dlsym(object, "hybrid_engine_v4"));
  const hybrid_engine *engine = entry ? entry() : nullptr;
  if (!engine || engine->abi_version != HYBRID_ENGINE_ABI_VERSION)
    throw Error(HYBRID_ERROR_ENGINE,
                path + ": not an engine of this version of the library; " + "build both together");
  return engine;
}

// Engines stay open for the life of the process: libtorch cannot be unloaded safely.
const hybrid_engine *engine_called(const std::string &name) {
  static std::mutex mutex;
  static std::map<std::string, const hybrid_engine *> engines;
  const std::lock_guard<std::mutex> lock(mutex);
  auto &engine = engines[name];
  if (!engine) engine = open_engine(name);
  return engine;
}

std::vector<hybrid_engine_field> described(const std::vector<Field> &fields) {
  std::vector<hybrid_engine_field> all;
  for (const auto &field : fields)
    all.push_back(
        {field.name.c_str(), field.kind, static_cast<int>(field.shape.size()), field.shape.data()});
  return all;
}

// What an engine has to say; it may fill it to the last byte and forget the end.
class Message {
 public:
  // Only the first byte: the rest would cost each call more than a small closure does.
  Message() { bytes_[0] = '\0'; }
  char *data() { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  std::string text() {
    bytes_.back() = '\0';
    return bytes_.data();
  }

 private:
  std::array<char, 4096> bytes_;
};

// Entries of an archive, as an engine asks for them.
int entry_of(void *context, const char *name, const void **bytes, size_t *n) noexcept {
  try {
    std::string_view content;
    if (!static_cast<EntryReader *>(context)->find(name, content)) return 1;
    *bytes = content.data();
    *n = content.size();
    return 0;
  } catch (...) {
    return 1;
  }
}

}  // namespace

Model::Model(const std::string &engine, const Archive &archive, const Spec &spec,
             const EngineOptions &options)
    : engine_(engine_called(engine)), device_(options.device) {
  if (options.n_thread < 1)
    throw Error(HYBRID_ERROR_ARGUMENT, spec.name + ": expected at least one thread, got " +
                                           std::to_string(options.n_thread));
  const auto argument_fields = spec.arguments();
  const auto result_fields = spec.results();
  const auto arguments = described(argument_fields);
  const auto results = described(result_fields);
  const hybrid_engine_options engine_options{device_.c_str(), options.n_thread,
                                             options.precision.c_str()};
  Message message;
  EntryReader entries(archive);
  const hybrid_engine_archive opened{archive.bytes.data(), archive.bytes.size(), &entries,
                                     entry_of};
  const int status = engine_->open(&opened, arguments.data(), static_cast<int>(arguments.size()),
                                   results.data(), static_cast<int>(results.size()),
                                   &engine_options, &model_, message.data(), message.size());
  if (status == 0) return;
  const auto who = spec.name + ": engine " + engine_->name + " could not load it: ";
  if (status == HYBRID_ENGINE_UNSERVABLE) throw Unservable(who, message.text());
  throw Error(HYBRID_ERROR_ENGINE, who + message.text());
}

Model::~Model() { engine_->close(model_); }

std::string Model::precision() const {
  return engine_->precision ? engine_->precision(model_) : "";
}

Session Model::prepare(int64_t n, const Shapes &shapes, const Buffers &arguments) const {
  std::vector<const void *> addresses;
  for (size_t i = 0; i < arguments.count(); ++i) addresses.push_back(arguments.row(i, 0));
  void *session = nullptr;
  Message message;
  if (engine_->prepare(model_, n, shapes.data(), addresses.data(), &session, message.data(),
                       message.size()))
    throw Error(HYBRID_ERROR_ENGINE,
                std::string("engine ") + engine_->name + ": " + message.text());
  return {engine_, session};
}

Session::~Session() {
  if (session_) engine_->release(session_);
}

void Session::run(const Buffers &results, int64_t first) const {
  // A fixed array keeps the call free of allocation; no manifest has more fields.
  std::array<void *, most_fields> addresses;
  for (size_t i = 0; i < results.count(); ++i) addresses[i] = results.row(i, first);
  Message message;
  if (engine_->run(session_, addresses.data(), message.data(), message.size()))
    throw Error(HYBRID_ERROR_ENGINE,
                std::string("engine ") + engine_->name + ": " + message.text());
}

bool is_installed(const std::string &engine) {
  std::error_code ignored;
  return std::filesystem::exists(engine_path(engine), ignored);
}

int device_count(const std::string &engine, const std::string &kind) {
  return engine_called(engine)->device_count(kind.c_str());
}

}  // namespace hybrid
