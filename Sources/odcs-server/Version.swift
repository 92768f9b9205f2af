/// The version of this program, which `about` and `--version` show.
enum Version {
    static let current = "0.1.0"
}
