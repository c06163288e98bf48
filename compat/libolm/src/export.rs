//! Makes the C functions from the table in `exports.rs`.

/// Makes one C function. A buffer is one argument here and two of C's, a pointer and a length,
/// which stay together from here on.
macro_rules! export {
    ($name:ident [$($c:tt)*] [$($call:tt)*] (
        ($start:ident, $length:ident): $buffer:ident $(, $($rest:tt)*)?
    ) $($end:tt)*) => {
        $crate::export::export! {
            $name
            [$($c)* $start: <$buffer as Buffer>::Start, $length: usize,]
            [$($call)* $buffer::from_c($start, $length),]
            ($($($rest)*)?) $($end)*
        }
    };
    ($name:ident [$($c:tt)*] [$($call:tt)*] (
        $argument:ident: $type:ty $(, $($rest:tt)*)?
    ) $($end:tt)*) => {
        $crate::export::export! {
            $name [$($c)* $argument: $type,] [$($call)* $argument,] ($($($rest)*)?) $($end)*
        }
    };
    ($name:ident [$($c:tt)*] [$($call:tt)*] () $(-> $result:ty)? = $function:path) => {
        #[allow(
            unsafe_code,
            missing_docs,
            clippy::too_many_arguments,
            reason = "C finds a function by its name; the header describes it and has its arguments"
        )]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($c)*) $(-> $result)? {
            $function($($call)*)
        }
    };
}

macro_rules! exports {
    ($($name:ident $arguments:tt $(-> $result:ty)? = $function:path;)+) => {
        $($crate::export::export! { $name [] [] $arguments $(-> $result)? = $function })+

        /// Every name.
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

pub(crate) use {export, exports};
