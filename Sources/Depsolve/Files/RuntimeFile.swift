/// A file that makes its package part of multilib `runtime`: a library that programs link with, or a
/// module that libraries load.
///
/// The rules are those of python-multilib, which Pungi uses. For example, `/usr/lib/libfoo.so.1` is a
/// runtime file. `/usr/lib/libfoo.so` and `/usr/lib/python3.9/site-packages/_ext.so` are not.
enum RuntimeFile {
    /// Whether a file is a runtime file.
    ///
    /// - Parameter path: The bytes of an absolute path.
    static func isOne(_ path: UnsafeRawBufferPointer) -> Bool {
        // Most files of a package are below /usr/share and the like.
        guard ["/lib", "/usr/lib", "/etc/l"].contains(where: { path.starts(with: $0.utf8) }) else { return false }
        let parts = String(decoding: path, as: UTF8.self).split(separator: "/").map(String.init)
        guard let name = parts.last else { return false }
        switch parts.first {
        case "etc": return parts.count == 3 && (parts[1] == "ld.so.conf.d" && name.hasSuffix(".conf") || parts[1] == "lsb-release.d")
        case "lib", "lib64": return isInRoot(Array(parts.dropFirst().dropLast()), name)
        case "usr":
            guard parts.count > 2, parts[1] == "lib" || parts[1] == "lib64" else { return false }
            return isInUsr(Array(parts.dropFirst(2).dropLast()), name)
        default: return false
        }
    }

    private static func isLibrary(_ name: String) -> Bool { name.contains(".so.") }

    /// - Parameter folders: The folders between the directory of libraries and the file.
    private static func isInRoot(_ folders: [String], _ name: String) -> Bool {
        if folders.isEmpty { return isLibrary(name) || name.hasPrefix("libnss_") || name.hasPrefix("libdb-") }
        return folders == ["security"]
    }

    private static func isInUsr(_ folders: [String], _ name: String) -> Bool {
        guard let first = folders.first, let last = folders.last else { return isLibrary(name) }
        return switch first {
        case "alsa-lib", "dri", "sasl2", "vdpau": folders.count == 1
        case "krb5": folders == ["krb5", "plugins"]
        case "oprofile": folders.count == 1 && isLibrary(name)
        case "wine": folders.count == 1 && name.hasSuffix(".so")
        case "sane": folders.count == 1 && name.hasPrefix("libsane-")
        case "gtk-2.0":
            folders.count > 2 && ["engines", "modules", "immodules", "loaders", "printbackends", "filesystems"].contains(last)
                || folders.count == 2 && ["modules", "immodules"].contains(last)
        case "gdk-pixbuf-2.0": folders.count > 2 && last == "loaders"
        case "xine": folders.count > 2 && folders[1] == "plugins"
        default:
            first.hasPrefix("gstreamer-")
                || (first.hasPrefix("qt") || first.hasPrefix("kde")) && folders.dropFirst().dropLast().contains("plugins")
                || first == "qt5" && folders.count > 2 && folders[1] == "qml"
        }
    }
}
