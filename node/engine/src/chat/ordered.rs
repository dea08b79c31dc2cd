// SPDX-License-Identifier: Apache-2.0
//! Maps whose keys keep their order, as templates expect of those that they are given.

use minijinja::{
    value::{Enumerator, Object},
    Value,
};
use std::{collections::BTreeMap, sync::Arc};

/// A map from texts, in the order in which they were given.
#[derive(Debug)]
pub(super) struct Ordered {
    keys: Vec<Value>,
    values: BTreeMap<String, Value>,
}

impl Ordered {
    /// Returns a map as the value of a template. Of equal keys the last counts.
    pub(super) fn value(pairs: impl Iterator<Item = (String, Value)>) -> Value {
        let (mut keys, mut values) = (Vec::new(), BTreeMap::new());
        for (key, value) in pairs {
            let again = values.insert(key.clone(), value).is_some();
            if !again {
                keys.push(Value::from(key));
            }
        }
        Value::from_object(Self { keys, values })
    }
}

impl Object for Ordered {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.values.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys.clone())
    }
}
