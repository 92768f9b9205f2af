/// An *rpmdb answer* is the output of the process that reads an rpmdb from a stranger's image.
public enum RPMDatabaseAnswer: Hashable, Sendable, Codable {
    case packages([InstalledPackage])
    /// The rpmdb cannot be read, for this reason, which is a sentence.
    case problem(String)
}
