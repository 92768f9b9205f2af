/// What the files of a compose are, by their names. Text says nothing of its charset: it is ASCII, and the reference's client counts
/// characters of a log as if each were a byte, which holds for text without a charset.
enum MediaTypes {
    static func type(ofFileNamed name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "text/plain" }
        return switch name[name.index(after: dot)...] {
        case "repo", "log", "txt", "asc": "text/plain"
        case "xml": "application/xml"
        case "json": "application/json"
        case "yaml": "application/yaml"
        case "gz": "application/gzip"
        case "bz2": "application/x-bzip2"
        case "xz": "application/x-xz"
        case "zst": "application/zstd"
        case "rpm": "application/x-rpm"
        default: "application/octet-stream"
        }
    }
}
