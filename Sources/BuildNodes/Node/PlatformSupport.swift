/// The way in which a node runs programs of a platform.
public enum PlatformSupport: Hashable, Sendable {
    case native
    /// An emulator runs them, for example `qemu-aarch64-static`.
    case emulated
    /// They do not run. The text has the reason and a remedy.
    case absent(String)
}
