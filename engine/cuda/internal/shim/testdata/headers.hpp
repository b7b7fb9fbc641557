// Compares hand-declared prototypes with NVIDIA's: as many parameters, and of each the
// size, the sign, whether it is a floating-point number, to what depth it is a pointer
// and to what, and whether what it points to is written. Ours have void * for handles
// and int for enumerations.
#include <type_traits>

namespace check {
using namespace std;

template <class T, class U> constexpr bool same();

// scalar compares numbers; an enumeration of theirs is an int of ours.
template <class T, class U> constexpr bool scalar() {
  if (sizeof(T) != sizeof(U) || is_floating_point_v<T> != is_floating_point_v<U>) return false;
  return is_enum_v<T> || is_signed_v<T> == is_signed_v<U>;
}

// pointee compares what pointers point to.
template <class T, class U> constexpr bool pointee() {
  if constexpr (is_void_v<U>) return !is_pointer_v<T>;
  else if constexpr (is_pointer_v<T> || is_pointer_v<U>) return same<T, U>();
  else if constexpr (is_class_v<T> || is_class_v<U>) return is_class_v<T> && is_class_v<U>;
  else if constexpr (is_void_v<T>) return false;
  else return scalar<T, U>();
}

template <class T, class U> constexpr bool same() {
  if constexpr (is_void_v<T> || is_void_v<U>) return is_void_v<T> && is_void_v<U>;
  else if constexpr (is_pointer_v<T> != is_pointer_v<U>) return false;
  else if constexpr (is_pointer_v<T>) {
    using P = remove_pointer_t<T>;
    using Q = remove_pointer_t<U>;
    if constexpr (is_const_v<Q> && !is_const_v<P>) return false;
    else return pointee<remove_cv_t<P>, remove_cv_t<Q>>();
  } else return scalar<T, U>();
}
} // namespace check

template <class Theirs, class Ours> struct alike : std::false_type {};

template <class R, class... A, class S, class... B> struct alike<R (*)(A...), S (*)(B...)> {
  template <bool as_many, class = void> struct each : std::false_type {};
  template <class dummy> struct each<true, dummy> {
    static constexpr bool value = (check::same<A, B>() && ...);
  };
  static constexpr bool value = each<sizeof...(A) == sizeof...(B)>::value && check::same<R, S>();
};

// ANY checks a function of our tables that returns type, STATUS one that returns an int.
#define ANY(type, name, params)                                                                                            \
  namespace ours_##name {                                                                                            \
  type f params;                                                                                                     \
  }                                                                                                                  \
  static_assert(alike<decltype(&::name), decltype(&ours_##name::f)>::value, #name);
#define STATUS(name, params, args) ANY(int, name, params)

// SAME_FIELD checks that a field of our struct lies where theirs does, with its size.
#define SAME_FIELD(theirs, field, ours, name)                                                                              \
  static_assert(__builtin_offsetof(theirs, field) == __builtin_offsetof(ours, name) &&                                   \
                    sizeof(((theirs *)0)->field) == sizeof(((ours *)0)->name),                                             \
                #theirs "." #field);
