import ArgumentParser

/// A signature key is the id of a key that packages may be signed with. `none`, or an empty text,
/// stands for unsigned packages.
struct SignatureKey: ExpressibleByArgument, Equatable {
    /// The id in the form of the API's contract. It is empty for unsigned packages.
    let id: String

    init(argument: String) {
        id = argument == "none" ? "" : argument
    }
}
