/// The settings of `odcs fetch` in the environment. The variables are those of BitBake.
struct FetchEnvironment: Equatable {
    let checksum: ChecksumPolicy
    /// The level of Zstandard.
    let zstdLevel: Int
    /// The directory of the download cache.
    let cache: String

    init(_ environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        checksum =
            switch value("BB_STRICT_CHECKSUM") {
            case "1": .strict
            case "ignore": .ignore
            default: .warn
            }
        // Example: `--threads=4 -19`.
        let options = (value("ZSTD_DEFAULTS") ?? "").split(separator: " ")
        zstdLevel = options.compactMap { Self.level($0) }.last ?? 3
        cache =
            value("DL_DIR") ?? value("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? "\($0)/odcs" : nil }
            ?? "\(value("HOME") ?? ".")/.cache/odcs"
    }

    private static func level(_ option: Substring) -> Int? {
        guard option.hasPrefix("-"), let level = Int(option.dropFirst()), (1...22).contains(level) else { return nil }
        return level
    }
}
