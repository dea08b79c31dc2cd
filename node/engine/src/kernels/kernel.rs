// SPDX-License-Identifier: Apache-2.0
//! The choice of a kernel: the fastest of this machine, or the one that the environment names.

use crate::EngineError;

/// The environment variable that names a kernel.
const VARIABLE: &str = "ASSAY_KERNEL";

/// A set of instructions to compute with. All of them produce the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernel {
    /// The reference, for any machine.
    Scalar,
    /// x86-64 with AVX2 and F16C.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ, VL and VNNI.
    Avx512,
    /// AArch64 with NEON, and with its dot products where the machine has them.
    Neon,
}

impl Kernel {
    /// All kernels, slowest first.
    const ALL: [Self; 4] = [Self::Scalar, Self::Neon, Self::Avx2, Self::Avx512];

    /// Returns the kernels of this machine, slowest first. The list is never empty.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|kernel| kernel.is_available()).collect()
    }

    /// Returns the kernel's name, which is also its value in `ASSAY_KERNEL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Returns whether this machine has the kernel's instructions.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            _ => false,
        }
    }

    /// Returns the kernel that `ASSAY_KERNEL` names, or the fastest of this machine if it is not
    /// set.
    ///
    /// # Errors
    /// Returns [`EngineError::KernelUnavailable`] if the variable names no kernel, or one that this
    /// machine does not have.
    pub fn pick() -> Result<Self, EngineError> {
        match std::env::var_os(VARIABLE) {
            Some(name) => Self::named(&name.to_string_lossy()),
            None => Ok(Self::available().pop().unwrap_or(Self::Scalar)),
        }
    }

    /// Returns the kernel called `name`.
    ///
    /// # Errors
    /// Returns [`EngineError::KernelUnavailable`] if there is no such kernel, or this machine does
    /// not have it.
    pub fn named(name: &str) -> Result<Self, EngineError> {
        let found = Self::available().into_iter().find(|kernel| kernel.name() == name);
        found.ok_or_else(|| EngineError::KernelUnavailable {
            name: name.into(),
            available: Self::available().iter().map(|kernel| kernel.name()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_finds_each_kernel_of_this_machine() {
        for kernel in Kernel::available() {
            assert_eq!(Kernel::named(kernel.name()).unwrap(), kernel);
        }
    }

    #[test]
    fn named_refuses_what_this_machine_does_not_have() {
        let absent = Kernel::ALL.into_iter().filter(|kernel| !kernel.is_available());
        for name in absent.map(Kernel::name).chain(["avx1024", "", "Scalar"]) {
            let error = Kernel::named(name).unwrap_err();
            assert!(matches!(&error, EngineError::KernelUnavailable { name: n, .. } if n == name));
            assert!(error.to_string().contains("scalar"), "{error}");
        }
    }
}
