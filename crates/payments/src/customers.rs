//! Customers: found by our id or the merchant's reference, and made when a payment first names one.

use kernel::{Filter, Id, Query, Scope};

use crate::command::CustomerRef;
use crate::customer::{CUSTOMER, Customer};
use crate::payment::CustomerLink;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::Payments;

impl Payments {
    /// The customer that a command names, made if its reference is new.
    pub(crate) async fn customer(
        &self,
        scope: Scope,
        named: Option<&CustomerRef>,
    ) -> Result<(Option<CustomerLink>, Option<Customer>), PaymentsError> {
        let reference = match named {
            None => return Ok((None, None)),
            Some(CustomerRef::Id(id)) => {
                let found = self.store.of(scope).get::<Customer>(vec![(*id).into()]).await?;
                let customer = found.ok_or_else(|| Rejection::Invalid {
                    param: "/customer_id",
                    message: "there is no customer of this id".to_owned(),
                })?;
                let link = CustomerLink { id: *id, reference: customer.record.reference };
                return Ok((Some(link), None));
            }
            Some(CustomerRef::Reference(reference)) => reference,
        };
        let query = Query::oldest(&CUSTOMER, scope, 1).with(Filter::equal("reference", reference.as_str()));
        let found = self.store.of(scope).find::<Customer>(query).await?;
        let known = found.into_iter().next().map(|versioned| versioned.record);
        let (customer, new) = if let Some(customer) = known {
            (customer, None)
        } else {
            let customer = Customer {
                id: Id::from_uuid(self.ids.uuid()),
                reference: Some(reference.clone()),
                events: 1,
                created_at: self.now(scope).await?,
            };
            (customer.clone(), Some(customer))
        };
        let link = CustomerLink { id: customer.id, reference: customer.reference };
        Ok((Some(link), new))
    }
}
