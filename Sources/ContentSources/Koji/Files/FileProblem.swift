/// A problem of one file of a package.
struct FileProblem: Error {
    let package: KojiPackage
    let path: String
    let problem: HeaderProblem

    init(_ problem: HeaderProblem, of package: KojiPackage, at path: String) {
        self.package = package
        self.path = path
        self.problem = problem
    }
}
