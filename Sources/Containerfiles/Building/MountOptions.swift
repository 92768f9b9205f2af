/// The *mount options* of RUN are the parts of `--mount=type=bind,source=/,target=/x`.
struct MountOptions {
    private(set) var options: [(key: String, value: String?)]

    init(_ text: String) {
        options = text.parts(at: ",").map { part in
            let halves = part.halves(at: "=")
            return ((halves?.before ?? part).trimmed.lowercased(), halves?.after.trimmed)
        }
    }

    func values(of keys: Set<String>) -> [String] {
        options.filter { keys.contains($0.key) }.map { $0.value ?? "" }
    }

    func without(_ key: String) -> MountOptions {
        var mount = self
        mount.options.removeAll { $0.key == key }
        return mount
    }

    /// The kinds of the mount. A mount without a type is a bind mount.
    var types: [String] {
        let types = values(of: ["type"])
        return types.isEmpty ? ["bind"] : types
    }

    var targets: [String] { values(of: ["target", "dst", "destination"]) }

    /// Whether the command may write through a bind mount.
    var isWritable: Bool {
        options.contains { key, value in
            let isTrue = value.map { !["false", "0", "f"].contains($0.lowercased()) } ?? true
            return switch key {
            case "rw", "readwrite": isTrue
            case "ro", "readonly": !isTrue
            default: false
            }
        }
    }
}
