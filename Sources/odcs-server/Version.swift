/// The version of this program, as `about` and `--version` say it.
enum Version {
    static let current = "0.1.0"
}
