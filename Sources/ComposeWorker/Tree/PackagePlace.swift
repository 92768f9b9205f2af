import ComposeModel
import ForeignText
import Repodata

/// A package place is the path of a package's file in a repository of a compose. Example:
/// `Packages/e/ed-1.20-3.x86_64.rpm`.
enum PackagePlace {
    /// The folder of a repository that has all its packages.
    static let folder = "Packages"

    /// Returns the name of the package's file.
    ///
    /// Throws `.packageFileUnusable` if no file can have that name. Packages of repositories whose files
    /// can have no name were left out earlier.
    static func filename(of package: NEVRA) throws(ComposeFailure) -> PathComponent {
        do {
            return try package.filename
        } catch {
            throw ComposeFailure(
                .packageFileUnusable,
                "The package \(package.description.quoted) cannot be part of a compose, because the name of its file \(error.reason).")
        }
    }

    /// Returns the place of the file `filename`. There is a folder for each first letter, so that no folder
    /// grows too large.
    ///
    /// - Parameter number: 1 for the first file of that name. The second one is
    ///   `Packages/e/2/ed-1.20-3.x86_64.rpm`.
    static func href(_ filename: PathComponent, number: Int) -> String {
        "\(folder)/\(filename.text.prefix(1).lowercased())/\(number == 1 ? "" : "\(number)/")\(filename)"
    }
}
