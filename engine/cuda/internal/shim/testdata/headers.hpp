// Compares hand-declared prototypes with NVIDIA's: as many parameters, each of the
// same size, pointers where theirs are pointers.
#include <type_traits>

template <class Theirs, class Ours> struct alike : std::false_type {};

template <class R, class... A, class S, class... B> struct alike<R (*)(A...), S (*)(B...)> {
  template <class T, class U>
  static constexpr bool one = sizeof(T) == sizeof(U) && std::is_pointer<T>::value == std::is_pointer<U>::value &&
                              std::is_floating_point<T>::value == std::is_floating_point<U>::value;
  template <bool same, class = void> struct each : std::false_type {};
  template <class dummy> struct each<true, dummy> {
    static constexpr bool value = (one<A, B> && ...);
  };
  static constexpr bool value = each<sizeof...(A) == sizeof...(B)>::value && sizeof(R) == sizeof(S);
};

#define X(name, params, args)                                                                                              \
  namespace ours_##name {                                                                                            \
  int f params;                                                                                                      \
  }                                                                                                                  \
  static_assert(alike<decltype(&::name), decltype(&ours_##name::f)>::value, #name);
