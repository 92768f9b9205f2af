/// The media types of a compose's files, by their names. Text types have no charset. The text is ASCII,
/// and the reference's client counts characters of a log as if each were a byte. That is correct only
/// for text without a charset.
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
